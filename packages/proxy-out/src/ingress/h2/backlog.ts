// What all streams of one HTTP/2 connection have written and its client has not taken: it may open many, and read none of them.
export class Backlog {
  #bytes = 0

  /** A stream that has something unread in it gets no more until this is over. One that is read goes on. */
  get full(): boolean {
    return this.#bytes > maxBacklogBytes
  }

  wrote(bytes: number): void {
    this.#bytes += bytes
  }

  taken(bytes: number): void {
    this.#bytes -= bytes
  }
}

const maxBacklogBytes = 4 * 1024 * 1024
