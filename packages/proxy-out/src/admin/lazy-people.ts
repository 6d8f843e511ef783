// Loads Express with the first request for a page: an edge that nobody looks at does without it.
import type { Socket } from "node:net"
import type { EdgeStatus, People } from "./people.ts"

export class LazyPeople {
  readonly #status: () => EdgeStatus
  #people: Promise<People> | undefined

  constructor(status: () => EdgeStatus) {
    this.#status = status
  }

  /** Goes on with a connection whose next bytes are a request for a page. */
  take(socket: Socket): void {
    socket.pause()
    void this.#serve(socket)
  }

  stop(): void {
    this.#people?.then(
      (people) => people.stop(),
      () => {},
    )
  }

  async #serve(socket: Socket): Promise<void> {
    try {
      this.#people ??= this.#load()
      const people = await this.#people
      people.take(socket)
      socket.resume()
    } catch {
      socket.destroy()
    }
  }

  async #load(): Promise<People> {
    const { People } = await import("./people.ts")
    return new People({ status: this.#status })
  }
}
