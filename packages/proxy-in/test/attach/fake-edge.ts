// An edge for the tests of the agent's side: an HTTP server that speaks the protocol, or what the test has it say instead, and
// keeps its end of one session.
import { once } from "node:events"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { MessageDecoder, messagesMediaType, preamble, Session } from "@restante/protocol"
import type { Message } from "@restante/protocol"
import { recordedFrames } from "../../../../test/support/recorded-frames.ts"

export const sessionId = "a-session-that-nobody-guesses"

/** What a path does to answers and bodies that go on: passes them, holds them back, or refuses them. */
export type Streaming = "passes" | "holds" | "refuses"

export interface Asked {
  readonly endpoint: string
  readonly streamed: boolean
  readonly headers: IncomingMessage["headers"]
}

export class FakeEdge implements AsyncDisposable {
  readonly #server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 })
  readonly #polls: ServerResponse[] = []
  #streamedPoll: ServerResponse | undefined
  readonly sockets = new Set<Socket>()
  /** Every request, in order. */
  readonly asked: Asked[] = []
  streaming: Streaming = "passes"
  /** Answers instead of the protocol when it returns true. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
  /** What becomes of a message that came. */
  hears: (message: Message) => void = (message) => this.session.receive(message)
  /** Frames that came, in order. */
  readonly heard: string[] = []
  /** Our end of the session. */
  readonly session: Session = new Session({
    onOutput: () => setImmediate(() => this.flush()),
    sink: recordedFrames(this.heard),
  })

  constructor() {
    this.#server.on("connection", (socket: Socket) => {
      this.sockets.add(socket)
      socket.on("close", () => this.sockets.delete(socket))
    })
    this.#server.on("request", (request, response) => this.#serve(request, response))
    this.#server.on("upgrade", (_request, socket: Socket) => {
      socket.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n")
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return this
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`)
  }

  /** Requests to that endpoint, streamed or not. */
  count(endpoint: string, streamed: boolean): number {
    return this.asked.filter((asked) => asked.endpoint === endpoint && asked.streamed === streamed).length
  }

  /** Short polls that wait for an answer. */
  get waitingPolls(): number {
    return this.#polls.length
  }

  get streams(): boolean {
    return this.#streamedPoll !== undefined
  }

  /** Sends what there is to send on what there is to carry it. */
  flush(): void {
    while (this.session.hasOutput) {
      const streamed = this.#streamedPoll
      const poll = streamed === undefined ? this.#polls.shift() : undefined
      if (streamed === undefined && poll === undefined) return
      const parts = this.session.nextMessage(1)
      if (parts === undefined) return
      if (streamed !== undefined) streamed.write(Buffer.concat(parts))
      else if (poll !== undefined) answerWith(poll, parts)
    }
  }

  /** Answers a waiting poll with these bytes, whatever they are. */
  answerPoll(bytes: Buffer): void {
    const poll = this.#polls.shift()
    if (poll === undefined) throw new Error("no poll waits")
    answerWith(poll, [bytes])
  }

  /** Ends every connection that there is with RST. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const endpoint = request.url?.replace(/^.*\/\.restante\/v1\//, "") ?? ""
    const streamed = request.headers["restante-stream"] === "1"
    this.asked.push({ endpoint, streamed, headers: request.headers })
    response.setHeader("Restante-Version", "1")
    if (this.instead(request, response)) return
    if (streamed && this.streaming === "refuses") {
      response.removeHeader("Restante-Version")
      response.writeHead(411).end()
      return
    }
    if (endpoint === "poll") this.#poll(request, response, streamed)
    else if (endpoint === "push") this.#push(request, response, streamed)
    else response.writeHead(200, { "Content-Type": "application/json" }).end("{}")
  }

  #poll(request: IncomingMessage, response: ServerResponse, streamed: boolean): void {
    this.#read(request, () => {
      if (!streamed) {
        this.#polls.push(response)
        response.on("close", () => {
          const index = this.#polls.indexOf(response)
          if (index >= 0) this.#polls.splice(index, 1)
        })
        this.flush()
        return
      }
      if (this.streaming === "holds") return
      this.#streamedPoll = response
      response.on("close", () => {
        if (this.#streamedPoll === response) this.#streamedPoll = undefined
      })
      response.writeHead(200, { "Content-Type": messagesMediaType })
      response.write(Buffer.concat([preamble, this.session.ackMessage()]))
      this.flush()
    })
  }

  #push(request: IncomingMessage, response: ServerResponse, streamed: boolean): void {
    if (streamed && this.streaming === "holds") {
      request.resume()
      return
    }
    this.#read(request, () => answerWith(response, [this.session.ackMessage()]))
  }

  /** Takes messages as they arrive. */
  #read(request: IncomingMessage, whole: () => void): void {
    const decoder = new MessageDecoder()
    request.on("data", (bytes: Buffer) => {
      for (const message of decoder.push(bytes)) this.hears(message)
    })
    request.on("end", whole)
    request.on("error", () => {})
  }
}

function answerWith(response: ServerResponse, parts: readonly Buffer[]): void {
  const body = Buffer.concat([preamble, ...parts])
  response.writeHead(200, { "Content-Type": messagesMediaType, "Content-Length": body.length }).end(body)
}
