// What people and their tools see under /.restante/: health and a short status. Express serves it, on connections that
// the ingress hands over one request at a time; neither clients' requests nor agents pass through here.
import { createServer } from "node:http"
import type { Server } from "node:http"
import type { Socket } from "node:net"
import express from "express"
import type { Express, Request } from "express"

export interface PeopleOptions {
  readonly status: () => EdgeStatus
}

export interface EdgeStatus {
  readonly software: string
  readonly queue: { readonly state: string; readonly waiting: number }
  readonly exchanges: {
    readonly live: number
    readonly accepted: number
    readonly answered: number
    readonly failed: number
  }
  readonly tunnels: readonly { readonly tunnel: string; readonly sessions: number; readonly active: number }[]
}

export class People {
  readonly #server: Server

  constructor(options: PeopleOptions) {
    this.#server = createServer({ keepAliveTimeout: 1 }, pages(options))
  }

  /** Goes on with a connection whose next bytes are a request for these pages. It closes after the answer. */
  take(socket: Socket): void {
    this.#server.emit("connection", socket)
  }

  stop(): void {
    this.#server.closeAllConnections()
  }
}

function pages({ status }: PeopleOptions): Express {
  const app = express()
  app.disable("x-powered-by")
  app.disable("etag")
  app.use((_request, response, next) => {
    response.set({ Connection: "close", "Cache-Control": "no-store", "Restante-Version": "1" })
    next()
  })
  app.get("/.restante/healthz", (_request, response) => {
    response.json({ status: "ok" })
  })
  app.get("/.restante/v1/status", (request, response) => {
    if (!fromLoopback(request)) {
      response.status(403).type("application/problem+json")
      response.send(
        JSON.stringify({
          title: "The status is shown to this machine only.",
          status: 403,
          code: "not_local",
        }),
      )
      return
    }
    response.json(status())
  })
  app.use((_request, response) => {
    response.status(404).type("application/problem+json")
    response.send(
      JSON.stringify({ title: "There is nothing at this address.", status: 404, code: "not_found" }),
    )
  })
  return app
}

function fromLoopback(request: Request): boolean {
  const address = request.socket.remoteAddress ?? ""
  return address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.")
}
