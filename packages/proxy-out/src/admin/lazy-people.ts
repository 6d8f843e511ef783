// Loads Express with the first request for a page: an edge that nobody looks at does without it.
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type { People, PeopleOptions } from "./people.ts"

export class LazyPeople {
  readonly #options: PeopleOptions
  #people: Promise<People> | undefined

  constructor(options: PeopleOptions) {
    this.#options = options
  }

  /** Goes on with a connection whose next bytes are a request for a page. */
  take(socket: Duplex): void {
    socket.pause()
    void this.#serve(socket)
  }

  /** One request that came in another way. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#load().then(
      (people) => people.answer(request, response),
      () => response.destroy(),
    )
  }

  stop(): void {
    this.#people?.then(
      (people) => people.stop(),
      () => {},
    )
  }

  async #serve(socket: Duplex): Promise<void> {
    try {
      const people = await this.#load()
      people.take(socket)
      socket.resume()
    } catch {
      socket.destroy()
    }
  }

  #load(): Promise<People> {
    this.#people ??= import("./people.ts").then(({ People }) => new People(this.#options))
    return this.#people
  }
}
