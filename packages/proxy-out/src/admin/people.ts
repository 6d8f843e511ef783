// What people and their tools see under /.restante/: health, status, metrics and what these mean. Express serves it, on connections
// that the ingress hands over one request at a time, or on a port of its own; neither clients' requests nor agents pass through here.
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import express from "express"
import type { Express, NextFunction, Request, Response } from "express"
import type { AdminAccess } from "./access.ts"
import { openApi } from "./openapi.ts"
import type { EdgeStatus } from "./status.ts"

export interface PeopleOptions {
  readonly access: AdminAccess
  readonly status: () => EdgeStatus
  /** Whether requests should be sent here. */
  readonly ready: () => boolean
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>
}

export class People {
  readonly #server: Server
  readonly #pages: Express

  constructor(options: PeopleOptions) {
    this.#pages = pages(options)
    this.#server = createServer({ keepAliveTimeout: 1 }, (request, response) =>
      this.answer(request, response),
    )
  }

  /** Goes on with a connection whose next bytes are a request for these pages. It closes after the answer. */
  take(socket: Duplex): void {
    this.#server.emit("connection", socket)
  }

  /** One request that came in another way. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#pages(request, response)
  }

  stop(): void {
    this.#server.closeAllConnections()
  }
}

function pages({ access, status, ready, metrics }: PeopleOptions): Express {
  const app = express()
  app.disable("x-powered-by")
  app.disable("etag")
  app.use((_request, response, next) => {
    response.set({ Connection: "close", "Cache-Control": "no-store", "Restante-Version": "1" })
    next()
  })
  const inside = (request: Request, response: Response, next: NextFunction): void => {
    const verdict = access.check(request)
    switch (verdict.kind) {
      case "granted":
        return next()
      case "limited":
        response.set("Retry-After", String(verdict.retryAfterSeconds))
        return refuse(response, "rate_limited")
      case "refused":
        if (!verdict.tokenKnown) return refuse(response, "not_local")
        response.set("WWW-Authenticate", 'Bearer realm="restante"')
        return refuse(response, "admin_token_wanted")
    }
  }
  app.get(["/.restante/healthz", "/healthz"], (_request, response) => {
    response.json({ status: "ok" })
  })
  app.get(["/.restante/readyz", "/readyz"], (_request, response) => {
    if (ready()) response.json({ status: "ok" })
    else refuse(response, "not_ready")
  })
  app.get("/.restante/v1/status", inside, (_request, response) => {
    response.json(status())
  })
  app.get("/.restante/v1/openapi.json", inside, (_request, response) => {
    response.json(openApi)
  })
  app.get(["/.restante/metrics", "/metrics"], inside, async (_request, response) => {
    const { type, text } = await metrics()
    response.set("Content-Type", type).send(text)
  })
  app.use((_request, response) => refuse(response, "not_found"))
  return app
}

const refusals = {
  not_found: { status: 404, title: "There is nothing at this address." },
  not_local: {
    status: 403,
    title:
      "This page is shown to this machine only, at 127.0.0.1 or localhost and without a proxy between, as long as the edge has no admin token.",
  },
  admin_token_wanted: { status: 401, title: "This page wants the admin token of this edge." },
  rate_limited: { status: 429, title: "Too many wrong tokens. Wait a minute." },
  not_ready: { status: 503, title: "This edge takes no requests at the moment." },
} as const

function refuse(response: Response, code: keyof typeof refusals): void {
  const { status, title } = refusals[code]
  response.status(status).type("application/problem+json")
  response.send(JSON.stringify({ title, status, code }))
}
