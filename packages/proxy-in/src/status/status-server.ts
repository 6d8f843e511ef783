// Serves the agent's status on loopback: a page for people at `/`, the same as JSON at `/status.json`, and what probes and Prometheus want.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { metricsMediaType, metricsText } from "./metrics.ts"
import { statusPage } from "./status-page.ts"
import type { ProgramStatus } from "./status.ts"

export class StatusServer implements AsyncDisposable {
  readonly #status: () => ProgramStatus
  readonly #server: Server

  constructor(status: () => ProgramStatus) {
    this.#status = status
    this.#server = createServer((request, response) => this.#answer(request, response))
    // A handful of browser tabs; nothing on this port may cost the agent its memory.
    this.#server.maxConnections = 64
  }

  /** Listens on 127.0.0.1. Resolves with the port: the given one, or a free one for 0. Rejects with the system's error. */
  start(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.off("error", reject)
        const address = this.#server.address()
        resolve(typeof address === "object" && address !== null ? address.port : port)
      })
    })
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!isLoopbackHost(request.headers.host)) {
      // A web page elsewhere can give its own name the address 127.0.0.1 (DNS rebinding); it must not read this.
      send(response, 421, "text/plain", "Open this page as http://127.0.0.1 or http://localhost.\n")
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD")
      send(response, 405, "text/plain", "Only GET and HEAD.\n")
    } else if (request.url === "/") {
      send(response, 200, "text/html", statusPage(this.#status()))
    } else if (request.url === "/status.json") {
      send(response, 200, "application/json", `${JSON.stringify(this.#status(), undefined, 2)}\n`)
    } else {
      this.#answerProgram(request.url, response)
    }
  }

  /** What programs ask for: probes and scrapes. */
  #answerProgram(path: string | undefined, response: ServerResponse): void {
    if (path === "/healthz") {
      send(response, 200, "text/plain", "alive\n")
    } else if (path === "/readyz") {
      const away = this.#status().tunnels.filter(({ link }) => link.kind !== "connected")
      if (away.length === 0) send(response, 200, "text/plain", "attached\n")
      else send(response, 503, "text/plain", `not attached: ${away.map(({ tunnel }) => tunnel).join(", ")}\n`)
    } else if (path === "/metrics") {
      send(response, 200, metricsMediaType, metricsText(this.#status()))
    } else {
      send(response, 404, "text/plain", "There is /, /status.json, /metrics, /healthz and /readyz.\n")
    }
  }
}

function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/i.test(host)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    "content-type": `${type}; charset=utf-8`,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
  })
  // For HEAD the server itself leaves the body out.
  response.end(body)
}
