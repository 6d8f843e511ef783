// A request that is answered without being served: at once when a body would follow (it is not read then), after its
// end otherwise, so that the connection stays usable.
import type { RequestHead } from "@restante/protocol"
import type { RequestHandler } from "../exchange/client.ts"

export class Refusal implements RequestHandler {
  readonly #keepAlive: boolean
  #answer: ((keepAlive: boolean) => void) | undefined

  constructor(head: RequestHead, answer: (keepAlive: boolean) => void) {
    this.#keepAlive = head.keepAlive
    this.#answer = answer
    if (head.body.kind !== "none") queueMicrotask(() => this.#once(false))
  }

  onBody(): void {}

  onBodyEnd(): void {
    this.#once(this.#keepAlive)
  }

  onReadPaused(): void {}

  onClientDrain(): void {}

  onClientGone(): void {
    this.#answer = undefined
  }

  #once(keepAlive: boolean): void {
    const answer = this.#answer
    this.#answer = undefined
    answer?.(keepAlive)
  }
}
