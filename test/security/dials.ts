// Watches every connection that this process begins, whoever begins it.
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { Socket } from "node:net"

export class Dials implements Disposable {
  /** Where connections were begun to: "127.0.0.1:80", or the name that was looked up. */
  readonly places = new Set<string>()

  constructor() {
    subscribe("net.client.socket", this.#onSocket)
  }

  /** Those that are none of `expected`. */
  strangeTo(expected: readonly number[]): string[] {
    const usual = new Set(expected.map((port) => `127.0.0.1:${port}`))
    return [...this.places].filter((place) => !usual.has(place))
  }

  [Symbol.dispose](): void {
    unsubscribe("net.client.socket", this.#onSocket)
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    socket.on("lookup", (_error, _address, _family, host) => this.places.add(`name ${host}`))
    socket.on("connectionAttempt", (ip: string, port: number) => this.places.add(`${ip}:${port}`))
  }
}
