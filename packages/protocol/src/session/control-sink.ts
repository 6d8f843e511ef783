// What may stand in an unnumbered message: PING, PONG and RESEND. Everything else would be lost or done twice there,
// because only numbers make a frame arrive exactly once.
import { type FrameSink, WireError } from "../wire/index.ts"

export type ControlHandlers = Pick<FrameSink, "onPing" | "onPong" | "onResend">

export class ControlSink implements FrameSink {
  readonly #handlers: ControlHandlers

  constructor(handlers: ControlHandlers) {
    this.#handlers = handlers
  }

  onPing(bytes: Buffer): void {
    this.#handlers.onPing(bytes)
  }

  onPong(bytes: Buffer): void {
    this.#handlers.onPong(bytes)
  }

  onResend(): void {
    this.#handlers.onResend()
  }

  onOpen(): void {
    refuse("OPEN")
  }

  onTaken(): void {
    refuse("TAKEN")
  }

  onHead(): void {
    refuse("HEAD")
  }

  onData(): void {
    refuse("DATA")
  }

  onEnd(): void {
    refuse("END")
  }

  onReset(): void {
    refuse("RESET")
  }

  onWindow(): void {
    refuse("WINDOW")
  }

  onDrain(): void {
    refuse("DRAIN")
  }
}

function refuse(name: string): never {
  throw new WireError("frame_unexpected", `${name} in an unnumbered message`)
}
