// An HTTP/2 client for the tests: whole answers, and what its stream was ended with.
import { once } from "node:events"
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2"
import { authority } from "./certificates.ts"

export interface Http2Answer {
  readonly status: number
  /** Names and values in turn, as they came. */
  readonly raw: readonly string[]
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
  readonly text: string
  readonly trailers: Readonly<Record<string, unknown>> | undefined
  /** Status and fields of each 1xx. */
  readonly informational: readonly Readonly<Record<string, unknown>>[]
}

export class Http2TestClient implements AsyncDisposable {
  readonly session: ClientHttp2Session
  /** The code of every GOAWAY. */
  readonly goaways: number[] = []

  private constructor(session: ClientHttp2Session) {
    this.session = session
    session.on("goaway", (code) => this.goaways.push(code))
    session.on("error", () => undefined)
  }

  static async to(url: string): Promise<Http2TestClient> {
    const session = connect(url, { ca: authority, maxSendHeaderBlockLength: 200_000 })
    const client = new Http2TestClient(session)
    await once(session, "connect")
    return client
  }

  /** `fields`: names and values in turn, without the pseudo fields that are usual. */
  begin(method: string, path: string, fields: readonly string[] = [], endStream = false): ClientHttp2Stream {
    const host = "edge.test"
    const pseudo = [":method", method, ":scheme", "https", ":authority", host, ":path", path]
    const named = fields.includes(":authority")
      ? [":method", method, ":scheme", "https", ":path", path]
      : pseudo
    const stream = this.session.request([...named, ...fields], { endStream })
    stream.on("error", () => undefined)
    return stream
  }

  /** The whole answer. Rejects when the stream is reset, with the name of the code. */
  async ask(
    method: string,
    path: string,
    options: { fields?: readonly string[]; body?: Buffer | string; trailers?: Record<string, string> } = {},
  ): Promise<Http2Answer> {
    const { fields = [], body } = options
    const stream = this.begin(method, path, fields, body === undefined)
    if (body !== undefined) stream.end(body)
    return answerOf(stream)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.session.destroyed) return
    const closed = once(this.session, "close")
    this.session.destroy()
    await closed
  }
}

export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const chunks: Buffer[] = []
  const informational: Record<string, unknown>[] = []
  let head: { raw: readonly string[]; headers: Record<string, unknown> } | undefined
  let trailers: Record<string, unknown> | undefined
  stream.on("headers", (headers) => informational.push({ ...headers }))
  stream.on(
    "response",
    (headers, _flags, raw: readonly string[]) => (head = { raw, headers: { ...headers } }),
  )
  stream.on("trailers", (headers) => (trailers = { ...headers }))
  stream.on("data", (bytes: Buffer) => chunks.push(bytes))
  if (!stream.closed) await once(stream, "close").catch(() => undefined)
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || head === undefined)
    throw new Error(resetName(stream.rstCode))
  const body = Buffer.concat(chunks)
  return {
    status: Number(head.headers[":status"]),
    ...head,
    body,
    text: body.toString("utf8"),
    trailers,
    informational,
  }
}

/** As RFC 9113 section 7 writes it. */
export function resetName(code: number): string {
  const names = Object.entries(constants).filter(([name, value]) => value === code && errorName.test(name))
  return names[0]?.[0].replace("NGHTTP2_", "") ?? String(code)
}

const errorName =
  /^NGHTTP2_(?:NO_ERROR|PROTOCOL_ERROR|INTERNAL_ERROR|FLOW_CONTROL_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|FRAME_SIZE_ERROR|REFUSED_STREAM|CANCEL|COMPRESSION_ERROR|CONNECT_ERROR|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/
