// Streams of HTTP/2 that end in every way and at every moment: requests and WebSockets, read and unread, closed by a Close frame, the
// end of a side or a reset. Nothing of them may be left at the edge or the agent, and neither may stop.
import { once } from "node:events"
import { constants, type ClientHttp2Stream } from "node:http2"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, test } from "vitest"
import { WebSocketServer } from "ws"
import { Http2TestClient } from "../support/http2-client.ts"
import { edgeStatus, startPair } from "../support/pair.ts"
import { passTime, until, within } from "../support/until.ts"

const clients = 8
const connections = 6
const streams = 20
const codes = [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]
const hi = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
const goodbye = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa1])
const steps = ["write", "say goodbye", "end", "reset", "wait", "look"] as const

/** The same choices in every run; what they meet differs. */
function chooser(seed: number): <T>(of: readonly T[]) => T {
  let state = seed
  return (of) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return of[Math.floor((state / 2 ** 32) * of.length)]!
  }
}

async function oneStream(client: Http2TestClient, choose: ReturnType<typeof chooser>): Promise<void> {
  const websocket = choose([true, false])
  const stream = websocket
    ? client.begin("CONNECT", "/", [":protocol", "websocket", "sec-websocket-version", "13"])
    : client.begin("POST", choose(["/echo", "/large", "/cut", "/slow"]))
  if (choose([true, true, true, false])) stream.resume()
  const answered = Promise.race([once(stream, "response"), once(stream, "close"), passTime(2000)])
  if (choose([true, false])) await answered.catch(() => undefined)
  else answered.catch(() => undefined)
  for (const step of [0, 1, 2, 3].map(() => choose(steps))) {
    const open = !stream.closed && !stream.destroyed && !stream.writableEnded
    if (step === "write" && open) stream.write(websocket ? hi : Buffer.alloc(choose([1, 1000, 70_000])))
    if (step === "say goodbye" && open && websocket) stream.write(goodbye)
    if (step === "end" && open) stream.end()
    if (step === "reset") stream.close(codeFor(stream, choose(codes)))
    if (step === "wait") await passTime(choose([1, 5, 30]))
    if (step === "look") await new Promise(setImmediate)
  }
  if (!stream.closed) stream.close(codeFor(stream, choose(codes)))
}

/** This test's own client would go round in a loop for ever: node:http2 closes with NO_ERROR behind what it has not sent, and never sends it. */
function codeFor(stream: ClientHttp2Stream, wanted: number): number {
  const unsent = stream.writableLength > 0 || (stream.writableEnded && !stream.writableFinished)
  return unsent && wanted === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_CANCEL : wanted
}

async function oneClient(url: string, seed: number): Promise<void> {
  const choose = chooser(seed)
  for (let count = 0; count < connections; count++) {
    // oxlint-disable-next-line no-await-in-loop -- one connection after the other
    await using client = await within("a new connection", 20_000, Http2TestClient.to(url))
    // oxlint-disable-next-line no-await-in-loop
    await Promise.all(Array.from({ length: streams }, () => oneStream(client, choose)))
  }
}

test("whatever way streams end, edge and agent go on and nothing is left", { timeout: 180_000 }, async () => {
  const server = createServer((incoming, response) => {
    incoming.on("error", () => undefined)
    if (incoming.url === "/echo") return void incoming.pipe(response)
    response.write(Buffer.alloc(incoming.url === "/large" ? 300_000 : 10))
    if (incoming.url === "/cut") return void setImmediate(() => response.destroy())
    return incoming.url === "/slow" ? undefined : void response.end()
  })
  const sockets = new WebSocketServer({ server })
  sockets.on("connection", (socket) => {
    socket.on("error", () => undefined)
    socket.on("message", (bytes, isBinary) => socket.send(bytes, { binary: isBinary }))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  await using stack = new AsyncDisposableStack()
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pair = stack.use(await startPair({ server: upstream, edgeArgs: ["--h2c"] }))
  await Promise.all(Array.from({ length: clients }, (_, seed) => oneClient(pair.url, seed)))
  await until("the edge to be done", async () => (await edgeStatus(pair)).exchanges.live === 0, 10_000)
  await until("the agent to be done", async () => (await pair.agent.status()).requests.active === 0, 10_000)
  expect((await edgeStatus(pair)).exchanges.accepted).toBeGreaterThan((clients * connections * streams) / 2)
})
