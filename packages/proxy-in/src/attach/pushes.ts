// Messages up as short POSTs, a few at a time: under load each carries all that has gathered since the one before.
import type { CarrierPort, UpCarrier } from "./carrier.ts"
import type { EdgeClient } from "./edge-client.ts"
import type { MessageRequest } from "./message-request.ts"

const maxInFlight = 3

export class Pushes implements UpCarrier {
  readonly #client: EdgeClient
  readonly #port: CarrierPort
  readonly #running = new Set<MessageRequest>()
  #stopped = false
  /** After a failure: no push before this has passed, then one at a time until it works. */
  #resting: NodeJS.Timeout | undefined
  #failing = false
  readonly #retryMs: () => number
  id: number

  constructor(client: EdgeClient, port: CarrierPort, retryMs: () => number) {
    this.#client = client
    this.#port = port
    this.#retryMs = retryMs
    this.id = port.nextCarrierId()
  }

  get ready(): boolean {
    return (
      !this.#stopped && this.#resting === undefined && this.#running.size < (this.#failing ? 1 : maxInFlight)
    )
  }

  send(parts: readonly Buffer[]): void {
    const id = this.id
    this.id = this.#port.nextCarrierId()
    const request = this.#client.push(this.#port.session, parts, {
      onMessage: (message) => this.#port.receive(message),
      onEnd: (error) => {
        this.#running.delete(request)
        if (error !== undefined) {
          this.#failing = true
          this.#port.lost(id)
          this.#port.failed(error)
          this.#rest()
          return
        }
        this.#failing = false
        this.#port.alive()
        this.#port.flush()
      },
    })
    this.#running.add(request)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#resting)
    for (const request of this.#running) request.abort()
    this.#running.clear()
  }

  #rest(): void {
    if (this.#stopped || this.#resting !== undefined) return
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.#port.flush()
    }, this.#retryMs())
  }
}
