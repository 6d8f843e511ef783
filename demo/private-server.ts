// The demo's private server: a page, a JSON API, a file, an event stream and an upload. It knows nothing of the tunnel.
//   node demo/private-server.ts [PORT] [ADDRESS]     (any free port, 127.0.0.1); prints its URL as its first line
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { page } from "./page.ts"

const startedAt = Date.now()
const notes: { readonly at: string; readonly text: string }[] = []
const fileBytes = Buffer.alloc(8 * 1024 * 1024, "This line crossed the firewall without an open port.\n")
const fileSha256 = createHash("sha256").update(fileBytes).digest("hex")
const maxNoteBytes = 1000
const maxNotes = 100

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

const routes: Readonly<Record<string, Handler>> = {
  "GET /": (_request, response) =>
    send(response, 200, "text/html; charset=utf-8", page({ fileSha256, fileBytes: fileBytes.length })),
  "GET /api/notes": (_request, response) => sendJson(response, 200, notes),
  "POST /api/notes": addNote,
  "GET /api/status": (request, response) =>
    sendJson(response, 200, {
      pid: process.pid,
      uptimeMs: Date.now() - startedAt,
      youAskedFor: request.headers.host,
    }),
  "GET /file": (_request, response) => {
    response.setHeader("content-disposition", 'attachment; filename="letter.txt"')
    send(response, 200, "text/plain; charset=utf-8", fileBytes)
  },
  "GET /events": streamClock,
  "POST /upload": takeUpload,
}

const server = createServer((request, response) => {
  const path = new URL(request.url ?? "/", "http://private").pathname
  const method = request.method === "HEAD" ? "GET" : request.method
  const handler = routes[`${method} ${path}`] ?? notFound
  Promise.resolve(handler(request, response)).catch(() => response.destroy())
})
const [port = "0", listenAddress = "127.0.0.1"] = process.argv.slice(2)
server.listen(Number(port), listenAddress, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) console.log(`http://${listenAddress}:${address.port}`)
})

function notFound(_request: IncomingMessage, response: ServerResponse): void {
  sendJson(response, 404, { error: "not found", routes: Object.keys(routes) })
}

async function addNote(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxNoteBytes)
      return sendJson(response, 413, { error: `a note has at most ${maxNoteBytes} bytes` })
    chunks.push(chunk)
  }
  const note = { at: new Date().toISOString(), text: Buffer.concat(chunks).toString("utf8") }
  notes.push(note)
  if (notes.length > maxNotes) notes.shift()
  sendJson(response, 201, note)
}

/** Server-sent events: the time, once a second, for as long as somebody listens. */
async function streamClock(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" })
  for (let count = 1; !response.destroyed; count++) {
    response.write(`id: ${count}\ndata: ${new Date().toISOString()}\n\n`)
    await sleep(1000)
  }
}

/** Reads a body of any size and answers with what it was. */
async function takeUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash("sha256")
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    hash.update(chunk)
  }
  sendJson(response, 200, { bytes, sha256: hash.digest("hex") })
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", `${JSON.stringify(value, undefined, 2)}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) })
  response.end(body)
}
