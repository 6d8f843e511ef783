// The plain port beside a TLS port: tells every client to come again by https (RFC 9110 section 15.4.9), whatever it asks for. Nothing
// is served here, so that neither a client nor an agent shows a secret in the clear twice.
import { Http1Error, originTarget } from "@restante/protocol"
import type { RequestHead } from "@restante/protocol"
import type { RequestHandler } from "../exchange/client.ts"
import type { ClientConnection, ConnectionPort, Peer } from "./client-connection.ts"
import { Refusal } from "./refusal.ts"

export interface RedirectOptions {
  /** Of the TLS port, as clients reach it. */
  readonly httpsPort: () => number
  readonly dateLine: () => string
  /** What it does with the rest of a connection's life. */
  readonly port: Pick<ConnectionPort, "badRequest" | "onClosed">
}

export class Redirect implements ConnectionPort {
  readonly #options: RedirectOptions

  constructor(options: RedirectOptions) {
    this.#options = options
  }

  onRequest(head: RequestHead, connection: ClientConnection): RequestHandler {
    const location = this.#locationOf(head)
    return new Refusal(head, (keepAlive) => {
      if (location === undefined) {
        connection.write(
          this.badRequest(
            new Http1Error(head.host === undefined ? "host_missing" : "bad_target"),
            connection,
          ),
        )
        return connection.finish(false)
      }
      const close = keepAlive ? "" : "Connection: close\r\n"
      connection.write(
        Buffer.from(
          `HTTP/1.1 308 Permanent Redirect\r\n${this.#options.dateLine()}Location: ${location}\r\nContent-Length: 0\r\n${close}\r\n`,
          "latin1",
        ),
      )
      connection.finish(keepAlive)
    })
  }

  badRequest(error: Http1Error, connection: Peer): Buffer {
    return this.#options.port.badRequest(error, connection)
  }

  onClosed(connection: ClientConnection): void {
    this.#options.port.onClosed(connection)
  }

  #locationOf(head: RequestHead): string | undefined {
    const target = originTarget(head)
    const host = head.host?.replace(/:\d*$/, "")
    if (host === undefined || host === "" || !target.startsWith("/")) return undefined
    const port = this.#options.httpsPort()
    return `https://${host}${port === 443 ? "" : `:${port}`}${target}`
  }
}
