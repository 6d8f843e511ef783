// One running poll or push: its answer is checked to be a Restante edge's, and taken apart into messages as it comes.
import { MessageDecoder, messagesMediaType } from "@restante/protocol"
import type { Message } from "@restante/protocol"
import type { Dispatcher } from "undici"
import { LinkError } from "./link-error.ts"
import { foreignAnswer, refusal } from "./refusal.ts"

/** One request that carries messages: what came of it. */
export interface MessageExchange {
  /** The response has begun: the edge is there and knows the session. */
  onOpen?(): void
  /** May throw WireError: the request is given up then. */
  onMessage(message: Message): void
  /** The response is whole (undefined), or the request failed. Exactly once. */
  onEnd(error: LinkError | undefined): void
}

export class MessageRequest implements Dispatcher.DispatchHandler {
  readonly #exchange: MessageExchange
  readonly #decoder = new MessageDecoder()
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #empty = false
  #failure: Buffer[] | undefined
  #status = 0

  constructor(exchange: MessageExchange) {
    this.#exchange = exchange
  }

  /** Gives it up; `onEnd` is not called any more. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#controller?.abort(new Error("given up"))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error("given up"))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#over || status < 200) return
    this.#status = status
    const restante = headers["restante-version"] !== undefined
    if (restante && status === 204) this.#empty = true
    else if (!restante || status !== 200 || headers["content-type"] !== messagesMediaType) {
      this.#failure = []
      if (!restante) this.#end(foreignAnswer(status))
      return
    }
    this.#exchange.onOpen?.()
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#over) return
    if (this.#failure !== undefined) {
      if (this.#failure.length < 16) this.#failure.push(Buffer.from(bytes))
      return
    }
    try {
      for (const message of this.#decoder.push(bytes)) this.#exchange.onMessage(message)
    } catch (reason) {
      this.#end(LinkError.from(reason))
    }
  }

  onResponseEnd(): void {
    if (this.#over) return
    if (this.#failure !== undefined)
      return this.#end(refusal(this.#status, Buffer.concat(this.#failure).toString("utf8")))
    try {
      if (!this.#empty) this.#decoder.end()
      this.#end(undefined)
    } catch (reason) {
      this.#end(LinkError.from(reason))
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(LinkError.from(error))
  }

  #end(error: LinkError | undefined): void {
    if (this.#over) return
    this.#over = true
    if (error !== undefined) this.#controller?.abort(error)
    this.#exchange.onEnd(error)
  }
}
