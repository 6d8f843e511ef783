// A real browser at an edge that speaks TLS: it takes the page by HTTP/2, and its WebSocket over the same connection (RFC 8441).
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, test } from "vitest"
import { WebSocketServer } from "ws"
import { startTab } from "../support/browser.ts"
import { startSecurePair } from "../support/http2-pair.ts"
import { transports } from "../support/pair.ts"
import { until } from "../support/until.ts"

/** A browser takes its time to start on a busy machine. */
const waitMs = 60_000

const page = `<!doctype html><p id="said"></p><script>
const said = (text) => (document.getElementById("said").textContent += text + ";")
const socket = new WebSocket("wss://" + location.host + "/chat", ["other", "echo.example"])
socket.binaryType = "arraybuffer"
socket.onopen = () => { said("open " + socket.protocol); socket.send("grüß"); socket.send(new Uint8Array(100000).fill(7)) }
socket.onmessage = ({ data }) => {
  if (typeof data === "string") return said(data)
  said(new Uint8Array(data).every((byte) => byte === 7) + " " + data.byteLength)
  socket.close(4001, "enough")
}
socket.onclose = ({ code, reason, wasClean }) => said("closed " + code + " " + reason + " " + wasClean)
</script>`

test.each(transports)(
  "over %s a browser's WebSocket crosses HTTP/2: messages, subprotocol, extension and close code",
  { timeout: 240_000 },
  async (transport) => {
    const vias: string[] = []
    const closes: string[] = []
    const server = createServer((incoming, response) => {
      vias.push(`${incoming.url} ${incoming.headers.via}`)
      response.setHeader("Content-Type", "text/html; charset=utf-8").end(incoming.url === "/" ? page : "")
    })
    const sockets = new WebSocketServer({
      server,
      perMessageDeflate: true,
      handleProtocols: () => "echo.example",
    })
    sockets.on("connection", (socket, request) => {
      vias.push(`${request.url} ${request.headers.via} ${socket.extensions}`)
      socket.on("message", (bytes, isBinary) => socket.send(bytes, { binary: isBinary }))
      socket.on("close", (code, reason) => closes.push(`${code} ${reason.toString()}`))
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    await using stack = new AsyncDisposableStack()
    stack.defer(() => void server.close())
    const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const pair = stack.use(
      await startSecurePair({ server: upstream, transport, edgeArgs: ["--access-log", "combined"] }),
    )
    const tab = stack.use(await startTab({ trusting: true }))
    const said = (): Promise<unknown> => tab.evaluate('document.getElementById("said").textContent')
    await tab.open(pair.url)
    await until(
      "the page to have said all",
      async () => JSON.stringify(await said())?.includes("closed"),
      waitMs,
    )
    expect(await said()).toBe("open echo.example;grüß;true 100000;closed 4001 enough true;")
    await until("the server to be told", () => closes.length > 0)
    expect(closes).toEqual(["4001 enough"])
    // The edge says which HTTP the browser spoke, to the server and in its own log.
    const edge = String.raw`restante-[\w-]+`
    expect(vias.filter((via) => via.startsWith("/chat"))).toEqual([
      expect.stringMatching(new RegExp(`^/chat 2\\.0 ${edge} permessage-deflate$`)),
    ])
    expect(vias[0]).toMatch(new RegExp(`^/ 2\\.0 ${edge}$`))
    await until("the line of the access log", () =>
      pair.edge.program.said.some((line) => line.includes('"GET /chat HTTP/2.0" 101 ')),
    )
  },
)
