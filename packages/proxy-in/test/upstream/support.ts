// What the tests of the upstream side share: raw servers that record what they get, a stream that records what it is
// told and checks the credit, and one call that runs a replay between them.
import { OpenFrame, openKind, ReceiveCredit, wireLimits } from "@restante/protocol"
import type { ResetCode } from "@restante/protocol"
import { once } from "node:events"
import net from "node:net"
import tls from "node:tls"
import type { UpstreamAddress } from "../../src/agent-options.ts"
import { UpstreamPool } from "../../src/upstream/pool.ts"
import type { UpstreamPoolOptions } from "../../src/upstream/pool.ts"
import { Replay } from "../../src/upstream/replay.ts"
import type { ReplayOptions, ReplayOutcome } from "../../src/upstream/replay.ts"
import type { ReplyStream } from "../../src/upstream/reply-stream.ts"
import { certificate, certificateKey } from "./certificate.ts"

export type Told =
  | { readonly kind: "taken" }
  | {
      readonly kind: "head"
      readonly flags: number
      readonly head: string
      readonly body: string | undefined
    }
  | { readonly kind: "data"; readonly bytes: number }
  | { readonly kind: "end"; readonly trailers: string }
  | { readonly kind: "reset"; readonly code: ResetCode }

export interface RunOptions extends Partial<Omit<ReplayOptions, "pool" | "onSettled">> {
  readonly body?: Buffer | string
  readonly bodyFollows?: boolean
  readonly kind?: number
  /** Grants credit as soon as bytes come. Default true. */
  readonly consume?: boolean
  readonly onData?: (bytes: Buffer) => void
  readonly onWindow?: (creditBytes: number) => void
}

/** The edge's end of one stream. Throws when the replay overdraws its credit. */
export class Run implements ReplyStream {
  readonly told: Told[] = []
  readonly outcomes: ReplayOutcome[] = []
  readonly settled: Promise<ReplayOutcome>
  readonly replay: Replay
  readonly credit = new ReceiveCredit()
  congested = false
  receivedBytes = 0
  readonly timings: number[] = []
  grantedBytes = wireLimits.initialWindowBytes
  readonly #options: RunOptions
  readonly #pieces: Buffer[] = []

  constructor(pool: UpstreamPool, head: string, options: RunOptions = {}) {
    const settled = Promise.withResolvers<ReplayOutcome>()
    this.settled = settled.promise
    this.#options = options
    const body = options.body === undefined ? undefined : Buffer.from(options.body)
    const open = new OpenFrame(options.kind ?? openKind.http, options.bodyFollows ?? false, "", head, body)
    this.replay = new Replay(open, this, {
      pool,
      hostHeader: options.hostHeader ?? { kind: "preserve" },
      headTimeoutMs: options.headTimeoutMs ?? 10_000,
      readTimeoutMs: options.readTimeoutMs ?? 10_000,
      now: options.now ?? (() => performance.now()),
      onSettled: (outcome) => {
        this.outcomes.push(outcome)
        settled.resolve(outcome)
      },
    })
    this.replay.start()
  }

  /** Everything the response's body brought, unless `onData` took it. */
  get body(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** The final head. */
  get responseHead(): string | undefined {
    return this.told.flatMap((frame) => (frame.kind === "head" && frame.flags !== 4 ? [frame.head] : []))[0]
  }

  timing(upstreamMicroseconds: number): void {
    this.timings.push(upstreamMicroseconds)
  }

  taken(): void {
    this.told.push({ kind: "taken" })
  }

  head(flags: number, head: string, inlineBody?: Buffer): void {
    this.told.push({ kind: "head", flags, head, body: inlineBody?.toString("latin1") })
    if (inlineBody !== undefined) this.#pieces.push(inlineBody)
  }

  data(bytes: Buffer): void {
    this.told.push({ kind: "data", bytes: bytes.length })
    this.credit.received(bytes.length)
    this.receivedBytes += bytes.length
    if (this.#options.onData === undefined) this.#pieces.push(bytes)
    else this.#options.onData(bytes)
    if (this.#options.consume ?? true) setImmediate(() => this.consumed(bytes.length))
  }

  end(trailers: string): void {
    this.told.push({ kind: "end", trailers })
  }

  reset(code: ResetCode): void {
    this.told.push({ kind: "reset", code })
  }

  window(creditBytes: number): void {
    this.grantedBytes += creditBytes
    this.#options.onWindow?.(creditBytes)
  }

  consumed(bytes: number): void {
    const credit = this.credit.consumed(bytes)
    if (credit > 0) this.replay.onWindow(credit)
  }
}

type TcpAddress = Extract<UpstreamAddress, { kind: "tcp" }>

export interface RawServer extends AsyncDisposable {
  readonly address: TcpAddress
  /** Every connection that came, in order. */
  readonly sockets: net.Socket[]
  /** What each connection has sent, latin-1, as far as the test wrote it down. */
  readonly received: string[]
}

/** A server on a free loopback port that does with each connection what the test says. */
export async function rawServer(
  onConnection: (socket: net.Socket, index: number) => unknown,
  options: { readonly secure?: boolean } = {},
): Promise<RawServer> {
  const sockets: net.Socket[] = []
  const received: string[] = []
  const accept = (socket: net.Socket): void => {
    const index = sockets.push(socket) - 1
    received.push("")
    socket.on("error", () => undefined)
    onConnection(socket, index)
  }
  const secure = options.secure ?? false
  const server = secure
    ? tls.createServer({ key: certificateKey, cert: certificate }, accept)
    : net.createServer({ noDelay: true }, accept)
  server.listen(0, secure ? "localhost" : "127.0.0.1")
  await once(server, "listening")
  const port = portOf(server)
  return {
    address: secure ? tcp(port, { host: "localhost", tls: true, ca: certificate }) : tcp(port),
    sockets,
    received,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    },
  }
}

export function portOf(server: net.Server): number {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("not listening on TCP")
  return address.port
}

/** A server that answers every request head with `answer`, or with the one for its number (from 0). */
export async function answering(answer: string | ((request: number) => string)): Promise<RawServer> {
  let requests = 0
  const server = await rawServer((socket, index) => {
    let pending = ""
    socket.on("data", (bytes) => {
      const text = bytes.toString("latin1")
      server.received[index] += text
      pending += text
      while (pending.includes("\r\n\r\n")) {
        pending = pending.slice(pending.indexOf("\r\n\r\n") + 4)
        socket.write(typeof answer === "string" ? answer : answer(requests), "latin1")
        requests += 1
      }
    })
  })
  return server
}

export function tcp(
  port: number,
  options: { host?: string; tls?: boolean; basePath?: string; ca?: string } = {},
): TcpAddress {
  return {
    kind: "tcp",
    host: options.host ?? "127.0.0.1",
    port,
    tls: options.tls ?? false,
    basePath: options.basePath ?? "",
    ca: options.ca,
  }
}

export function poolFor(upstream: UpstreamAddress, options: Partial<UpstreamPoolOptions> = {}): UpstreamPool {
  return new UpstreamPool({ upstream, clock: { now: () => performance.now() }, ...options })
}

/** A request head with a Host. */
export function requestHead(line: string, ...fields: string[]): string {
  return `${[`${line} HTTP/1.1`, "Host: public.example", ...fields].join("\r\n")}\r\n\r\n`
}

export const get: string = requestHead("GET /")
export const post = (length: number): string => requestHead("POST /", `Content-Length: ${length}`)
export const okHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
export const ok = `${okHead}ok`

/** Resolves once `holds` is true, looking after every turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}
