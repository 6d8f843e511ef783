// What takes messages up to the edge: short pushes, a push that streams, a websocket. The session does not care which.
import type { Message } from "@restante/protocol"

export interface UpCarrier {
  /** Whether it takes a message now. */
  readonly ready: boolean
  /** Names it, or the part of it that takes the next message, to the session. */
  readonly id: number
  /** Sends one message, its parts in order. Only when `ready`. */
  send(parts: readonly Buffer[]): void
}

/** What a carrier needs of the link that it belongs to. */
export interface CarrierPort {
  readonly session: string
  nextCarrierId(): number
  /** One message from the edge. Throws WireError when the session is broken by it. */
  receive(message: Message): void
  /** An acknowledgement for the way up, asking for what a lost carrier may have swallowed when there was one. */
  acknowledgement(): Buffer
  /** The carrier with this id is gone; what it took and is not acknowledged goes again. */
  lost(id: number): void
  /** The edge answers: whatever was wrong is over. */
  alive(): void
  /** Something is wrong. The carrier itself tries again; an error that ends the session ends the link. */
  failed(error: Error): void
  /** There is room for messages again. */
  flush(): void
}
