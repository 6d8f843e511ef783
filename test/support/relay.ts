// Relays between agent and edge: a wire that can be cut, and a proxy that holds every body back until it is whole.
import { once } from "node:events"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import net, { type AddressInfo } from "node:net"
import { bodyOf } from "./upstream.ts"

export class Wire implements AsyncDisposable {
  readonly url: string
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  #cut = false
  /** Connections that were made through it. */
  connections = 0
  /** Each connection ends after this many bytes, both ways together: what has passed until then still arrives. */
  mostBytes = Infinity
  /** Connections that ended by that. */
  worn = 0

  /** To that port on loopback. */
  static async to(port: number): Promise<Wire> {
    const server = net.createServer({ noDelay: true, pauseOnConnect: true })
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 })
    await once(server, "listening")
    return new Wire(server, port)
  }

  private constructor(server: net.Server, port: number) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on("connection", (near) => {
      this.connections++
      // As a network that is away: what is tried breaks, without a word from the far end.
      if (this.#cut) {
        near.destroy()
        return
      }
      const far = net.connect({ port, host: "127.0.0.1", noDelay: true })
      let passedBytes = 0
      const wear = (bytes: Buffer): void => {
        passedBytes += bytes.length
        if (passedBytes < this.mostBytes) return
        this.worn++
        for (const socket of [near, far]) socket.removeListener("data", wear).unpipe().destroySoon()
      }
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        if (this.mostBytes < Infinity) from.on("data", wear)
        from.on("error", () => undefined)
        from.on("close", () => {
          this.#sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
  }

  /** Everything under way breaks, and so does every new connection. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  mend(): void {
    this.#cut = false
  }

  /** As a router that forgets its connections: whatever comes on them from now on is lost, and nobody is told. New ones work. */
  forget(): void {
    for (const socket of this.#sockets) socket.unpipe().resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

export interface BufferingProxy extends AsyncDisposable {
  readonly url: string
  /** Upgrades that it did not pass on. */
  readonly refusedUpgrades: () => number
}

/** To that port on loopback: collects each request's and each answer's whole body before it passes anything on, and knows no upgrades. */
export async function bufferingProxy(port: number): Promise<BufferingProxy> {
  let refusedUpgrades = 0
  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url: path = "/", headers } = incoming
    if (headers.upgrade !== undefined) refusedUpgrades++
    try {
      const body = await bodyOf(incoming)
      const onward = request({
        port,
        host: "127.0.0.1",
        method,
        path,
        headers: withoutFraming(headers),
        agent: false,
      })
      // Nobody waits any more: neither does this one.
      outgoing.on("close", () => onward.destroy())
      onward.end(body)
      const [answer] = (await once(onward, "response")) as [IncomingMessage]
      const answerBody = await bodyOf(answer)
      outgoing.writeHead(answer.statusCode ?? 502, withoutFraming(answer.headers)).end(answerBody)
    } catch {
      outgoing.writeHead(502).end()
    }
  }
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => void forward(incoming, outgoing))
  server.listen({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusedUpgrades: () => refusedUpgrades,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function withoutFraming<T extends object>(headers: T): T {
  const dropped = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name))) as T
}
