// The plain Node hop that Restante is compared with: node:http in front, an undici pool behind, each used the way that costs
// least. It forwards what it is asked and promises nothing else. Prints its port as its first line.
//   node node-hop.ts UPSTREAM-PORT
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Pool, type Dispatcher } from "undici"

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 512, pipelining: 1, bodyTimeout: 0 })
const server = createServer({ noDelay: true, keepAliveTimeout: 600_000 }, (request, response) => {
  const { url = "/", method = "GET", rawHeaders } = request
  const options = {
    path: url,
    method,
    headers: endToEnd(rawHeaders),
    body: method === "GET" ? null : request,
  } as Dispatcher.DispatchOptions
  pool.dispatch(options, new Reply(request, response))
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) console.log(address.port)
})
process.on("disconnect", () => process.exit())

/** The upstream's answer, written to the client as it comes; a client that does not keep up holds the upstream back. */
class Reply implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #drain: (() => void) | undefined

  constructor(_request: IncomingMessage, response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on("close", () => {
      if (!this.#response.writableFinished) controller.abort(new Error("the client left"))
    })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason?: string): void {
    const raw = (controller.rawHeaders as Buffer[]).map((value) => value.latin1Slice())
    this.#response.writeHead(status, reason ?? "", endToEnd(raw))
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#response.write(bytes)) return
    controller.pause()
    this.#response.once("drain", () => controller.resume())
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(): void {
    this.#response.destroy()
  }
}

const connectionFields: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding", "te", "upgrade"])

/** RFC 9110 section 7.6.1, as much of it as this benchmark needs. `raw`: name, value, name, value … */
function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    if (!connectionFields.has(raw[at]!.toLowerCase())) kept.push(raw[at]!, raw[at + 1]!)
  }
  return kept
}
