// A reverse proxy before an edge with the habits that a test gives it: it may hold bodies back until they are whole, cut what waits,
// or answer something of its own. It knows no upgrade.
import { once } from "node:events"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Readable, Writable } from "node:stream"
import { bodyOf } from "./upstream.ts"

export interface HttpFrontOptions {
  /** The edge's, on loopback. */
  readonly port: number
  readonly holdsRequests?: boolean
  readonly holdsAnswers?: boolean
  /** Breaks the connection of whatever is not answered by then. */
  readonly cutAfterMs?: number
  /** Answers by itself, for those for which it returns true. */
  readonly instead?: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean
}

export interface HttpFront extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

export async function httpFront(options: HttpFrontOptions): Promise<HttpFront> {
  const { port, holdsRequests = false, holdsAnswers = false, cutAfterMs, instead } = options
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    if (instead?.(incoming, outgoing) === true) return
    if (cutAfterMs !== undefined) {
      const timer = setTimeout(() => incoming.socket.resetAndDestroy(), cutAfterMs)
      outgoing.on("close", () => clearTimeout(timer))
    }
    const { connection: _connection, upgrade: _upgrade, ...headers } = incoming.headers
    const onward = request({ host: "127.0.0.1", port, method: incoming.method, path: incoming.url, headers })
    onward.on("error", () => outgoing.destroy())
    outgoing.on("close", () => onward.destroy())
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      // Without it Node would wait for the first bytes of the body.
      if (!holdsAnswers) outgoing.flushHeaders()
      pass(answer, outgoing, holdsAnswers)
    })
    pass(incoming, onward, holdsRequests)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const listening = (server.address() as AddressInfo).port
  return {
    port: listening,
    url: `http://127.0.0.1:${listening}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function pass(from: Readable, to: Writable, whole: boolean): void {
  from.on("error", () => to.destroy())
  if (!whole) {
    from.pipe(to)
    return
  }
  bodyOf(from).then(
    (body) => to.end(body),
    () => to.destroy(),
  )
}
