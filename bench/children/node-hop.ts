// The plain Node hop that Restante is compared with: node:http in front, an undici pool behind, each used the way that costs
// least. It forwards what it is asked and promises nothing else. Prints its port as its first line.
//   node node-hop.ts UPSTREAM-PORT
import { createServer, type ServerResponse } from "node:http"
import { Pool, type Dispatcher } from "undici"

/** RFC 9110 section 7.6.1, as much of it as a benchmark's answers and requests need. */
const connectionFields: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding"])

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { pipelining: 1 })
const server = createServer({ noDelay: true, keepAliveTimeout: 600_000 }, (request, response) => {
  const { url = "/", method = "GET", rawHeaders } = request
  const headers: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    const value = rawHeaders[at + 1]
    if (name === undefined || value === undefined || connectionFields.has(name.toLowerCase())) continue
    headers.push(name, value)
  }
  pool.dispatch({ path: url, method, headers, body: method === "GET" ? null : request }, new Reply(response))
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) console.log(address.port)
})
process.on("disconnect", () => process.exit())

/** The upstream's answer, written to the client as it comes; a client that does not keep up holds the upstream back. */
class Reply implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.once("close", () => {
      if (!this.#response.writableFinished) controller.abort(new Error("the client left"))
    })
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    const kept: (string | string[])[] = []
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && !connectionFields.has(name)) kept.push(name, value)
    }
    this.#response.writeHead(status, kept)
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
