// One client's connection on a fake socket, with a handler that writes down what it is told of each request.
import type { Http1Error, RequestHead } from "@restante/protocol"
import type { RequestHandler } from "../../src/exchange/client.ts"
import { ClientConnection } from "../../src/ingress/client-connection.ts"
import { FakeSocket } from "./fake-socket.ts"

export class Connected {
  readonly socket = new FakeSocket()
  readonly serving: Serving[] = []
  readonly errors: string[] = []
  closed = 0
  readonly connection: ClientConnection
  /** Called with each request as it is handed over. */
  onRequest: (connection: ClientConnection) => void = () => {}

  constructor() {
    this.connection = new ClientConnection(this.socket.asSocket, {
      onRequest: (head, connection) => {
        const serving = new Serving(head)
        this.serving.push(serving)
        this.onRequest(connection)
        return serving
      },
      badRequest: (error: Http1Error) => {
        this.errors.push(error.code)
        return Buffer.from(`<${error.status}>`)
      },
      onClosed: () => this.closed++,
    })
  }

  get targets(): string[] {
    return this.serving.map(({ head }) => head.target)
  }

  answers(text: string, keepAlive = true): void {
    this.connection.write(Buffer.from(text))
    this.connection.finish(keepAlive)
  }
}

/** What was told of one request, in order. */
class Serving implements RequestHandler {
  readonly head: RequestHead
  readonly told: string[] = []

  constructor(head: RequestHead) {
    this.head = head
  }

  onBody(bytes: Buffer): void {
    this.told.push(`body ${bytes.toString("latin1")}`)
  }

  onBodyEnd(trailers: string): void {
    this.told.push(`end ${JSON.stringify(trailers)}`)
  }

  onReadPaused(): void {
    this.told.push("paused")
  }

  onClientDrain(): void {
    this.told.push("drain")
  }

  onClientGone(): void {
    this.told.push("gone")
  }
}

export function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
}

export function post(body: string, length = body.length): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`
}
