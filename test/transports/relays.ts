// What stands between an agent and its edge in these tests: a relay for bytes that can cut and stall, and one for whole HTTP
// messages, as some proxies are.
import { once } from "node:events"
import { createServer as createHttpServer, request } from "node:http"
import net, { type AddressInfo, type Socket } from "node:net"
import { bodyOf } from "../support/upstream.ts"

interface Leg {
  readonly near: Socket
  readonly far: Socket
}

/** Passes bytes on between its own port and `target`, until told otherwise. */
export class Relay implements AsyncDisposable {
  readonly #server = net.createServer({ noDelay: true, allowHalfOpen: true }, (near) => this.#accept(near))
  readonly #target: () => number
  readonly #legs = new Set<Leg>()
  readonly #stalled = new Set<Leg>()
  #refusing = false
  /** Connections that ask for an upgrade are broken off at once. */
  breaksUpgrades = false
  #cutEveryBytes = Infinity
  #sinceCutBytes = 0
  /** Connections that were cut. */
  cuts = 0
  /** Connections that came. */
  connections = 0
  /** Everything that came from the agents, latin-1: the starts of their requests can be found in it. */
  upText = ""
  #keepsText = true

  constructor(target: () => number) {
    this.#target = target
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** How often that text has come from the agents since the last call with it. */
  count(text: string): number {
    return this.upText.split(text).length - 1
  }

  /** Breaks every connection off, on both sides. */
  cut(): void {
    for (const leg of [...this.#legs]) this.#cut(leg)
  }

  /** From now on all connections are cut whenever this many bytes have passed. */
  cutEvery(bytes: number): void {
    this.#cutEveryBytes = bytes
    this.#sinceCutBytes = 0
    this.#keepsText = false
  }

  /** Nothing passes any more on the connections that there are, and neither side is told; new ones work. */
  stall(): void {
    for (const leg of this.#legs) {
      this.#stalled.add(leg)
      leg.near.pause()
      leg.far.pause()
    }
  }

  /** Lets go on what was stalled. */
  release(): void {
    for (const leg of this.#stalled) {
      leg.near.resume()
      leg.far.resume()
    }
    this.#stalled.clear()
  }

  /** New connections are broken off at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    this.#refusing = true
    this.cut()
    await closed
  }

  #accept(near: Socket): void {
    near.on("error", ignore)
    if (this.#refusing) {
      near.resetAndDestroy()
      return
    }
    this.connections++
    const far = net.connect({ port: this.#target(), host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
    const leg = { near, far }
    this.#legs.add(leg)
    far.on("error", ignore)
    this.#pass(leg, near, far)
    this.#pass(leg, far, near)
  }

  #pass(leg: Leg, from: Socket, to: Socket): void {
    from.on("data", (bytes) => {
      if (from === leg.near && this.#keepsText) this.upText += bytes.toString("latin1")
      if (this.breaksUpgrades && bytes.includes("Upgrade: websocket")) return this.#cut(leg)
      if (!to.write(bytes)) from.pause()
      this.#sinceCutBytes += bytes.length
      if (this.#sinceCutBytes < this.#cutEveryBytes) return
      this.#sinceCutBytes = 0
      for (const one of [...this.#legs]) this.#cutAfterFlush(one)
    })
    to.on("drain", () => !this.#stalled.has(leg) && from.resume())
    from.on("end", () => to.end())
    from.on("close", () => {
      this.#legs.delete(leg)
      this.#stalled.delete(leg)
      to.destroy()
    })
  }

  /** What has passed so far still arrives: otherwise nobody could say how much is needed for progress. */
  #cutAfterFlush(leg: Leg): void {
    this.cuts++
    this.#legs.delete(leg)
    for (const socket of [leg.near, leg.far]) {
      socket.removeAllListeners("data").pause()
      socket.destroySoon()
    }
  }

  #cut(leg: Leg): void {
    this.cuts++
    this.#legs.delete(leg)
    leg.near.resetAndDestroy()
    leg.far.resetAndDestroy()
  }
}

/** A reverse or forward proxy that holds back every message until it has the whole of it, and knows no upgrade and no CONNECT. */
export class BufferingProxy implements AsyncDisposable {
  readonly #server = createHttpServer({ requestTimeout: 0, keepAliveTimeout: 60_000 })
  readonly #target: () => number

  constructor(target: () => number) {
    this.#target = target
    this.#server.on("upgrade", (_request, socket: Socket) =>
      socket.end("HTTP/1.1 501 Not Implemented\r\n\r\n"),
    )
    this.#server.on("request", (incoming, outgoing) => {
      const gone = new AbortController()
      outgoing.on("close", () => gone.abort())
      const forward = async (): Promise<void> => {
        const body = await bodyOf(incoming)
        const { "transfer-encoding": _coding, connection: _connection, ...headers } = incoming.headers
        const onward = request({
          host: "127.0.0.1",
          port: this.#target(),
          method: incoming.method,
          path: incoming.url?.replace(/^http:\/\/[^/]+/, ""),
          headers: { ...headers, "content-length": body.length },
          signal: gone.signal,
        })
        onward.end(body)
        const [response] = await once(onward, "response")
        onward.on("error", ignore)
        const answer = await bodyOf(response)
        const { "transfer-encoding": _also, connection: _too, ...fields } = response.headers
        const length = response.statusCode === 204 ? {} : { "content-length": answer.length }
        outgoing.writeHead(response.statusCode, { ...fields, ...length })
        outgoing.end(answer)
      }
      forward().catch(() => outgoing.destroy())
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

function ignore(): void {}
