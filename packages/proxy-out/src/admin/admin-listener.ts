// A port of its own for the pages about the inside, so that Prometheus need not pass the public one.
import { createServer } from "node:http"
import type { Server } from "node:http"
import { listenProblem } from "@restante/protocol"
import type { LazyPeople } from "./lazy-people.ts"

export interface AdminListenerOptions {
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  readonly people: LazyPeople
}

/** One request has this long to arrive, and a connection that does nothing is closed after it. */
const patienceMs = 10_000
const maxConnections = 200

export class AdminListener {
  readonly #options: AdminListenerOptions
  readonly #server: Server

  constructor(options: AdminListenerOptions) {
    this.#options = options
    this.#server = createServer(
      { headersTimeout: patienceMs, requestTimeout: patienceMs, keepAliveTimeout: 1 },
      (request, response) => options.people.answer(request, response),
    )
    this.#server.maxConnections = maxConnections
  }

  /** Resolves with the port; rejects with a `CommandError` when it cannot be opened. */
  async start(): Promise<number> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", reject)
        resolve()
      })
    }).catch((error: unknown) => {
      throw listenProblem(error, { host, port }, "--admin-port")
    })
    const address = this.#server.address()
    return typeof address === "object" && address !== null ? address.port : port
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
