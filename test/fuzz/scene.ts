// What the fuzzer plays: connections of clients, the exchanges on each, and for every exchange what both ends say and do. Plain
// data, so that a scene that went wrong can be kept as it is (regressions.ts).

export interface Scene {
  readonly connections: readonly ClientConnection[]
}

export interface ClientConnection {
  /** All requests are sent before the first answer is waited for. */
  readonly pipelined: boolean
  readonly exchanges: readonly Exchange[]
}

export interface Exchange {
  readonly method: string
  /** Visible ASCII without `#`. */
  readonly target: string
  readonly minorVersion: 0 | 1
  readonly fields: readonly Field[]
  /** Connection names a field, which must not cross. */
  readonly nominates: boolean
  /** Whether the client says that the connection goes on. */
  readonly keepAlive: boolean
  readonly body: Body
  readonly expectsContinue: boolean
  /** Where the client's bytes are cut into writes: parts of the whole, 0 to 1. */
  readonly splits: readonly number[]
  readonly client: ClientBehaviour
  readonly answer: Answer
  /** The client speaks HTTP/2. Default false. */
  readonly http2?: boolean
}

export type Field = readonly [name: string, value: string]

/** `bytes` of the fuzzer's stuff, from `offset` on. */
export type Body =
  | { readonly framing: "none" }
  | { readonly framing: "length"; readonly bytes: number; readonly offset: number }
  | { readonly framing: "close"; readonly bytes: number; readonly offset: number }
  | {
      readonly framing: "chunked"
      readonly bytes: number
      readonly offset: number
      readonly chunkBytes: number
      readonly trailers: readonly Field[]
    }

export type ClientBehaviour =
  | { readonly does: "waits" }
  /** Leaves when it has sent this part of its request, 0 to below 1. */
  | { readonly does: "leaves while it sends"; readonly part: number }
  /** Leaves when so many bytes of its answer have come. */
  | { readonly does: "leaves while it reads"; readonly bytes: number }

export interface Answer {
  readonly status: number
  readonly reason: string
  readonly minorVersion: 0 | 1
  readonly fields: readonly Field[]
  /** How many 103 come first. */
  readonly hints: number
  readonly body: Body
  readonly at: "the end of the request" | "its head"
  readonly keepAlive: boolean
  readonly splits: readonly number[]
  /** The upstream breaks off behind this part of its answer, 0 to below 1. */
  readonly breaks: { readonly part: number; readonly how: "end" | "reset" } | undefined
}

/** The nearest scene that makes sense: what cannot be said in HTTP, or has no one outcome, is said otherwise. */
export function sensible(scene: Scene): Scene {
  return {
    connections: scene.connections.map(({ pipelined, exchanges }) => ({
      pipelined,
      exchanges: exchanges.map((exchange, index) =>
        sensibleExchange(pipelined && index < exchanges.length - 1 ? calm(exchange) : exchange),
      ),
    })),
  }
}

/** So that what is behind it on the connection is reached. */
function calm(exchange: Exchange): Exchange {
  const { answer } = exchange
  return {
    ...exchange,
    minorVersion: 1,
    keepAlive: true,
    client: { does: "waits" },
    answer: { ...answer, at: "the end of the request", breaks: undefined },
  }
}

function sensibleExchange(exchange: Exchange): Exchange {
  const { minorVersion, client, body } = exchange
  const noChunks = body.framing === "close" || (body.framing === "chunked" && minorVersion === 0)
  const sent: Body = noChunks ? { framing: "length", bytes: body.bytes, offset: body.offset } : body
  return {
    ...exchange,
    body: sent,
    expectsContinue: exchange.expectsContinue && sent.framing !== "none" && minorVersion === 1,
    answer: sensibleAnswer(exchange.answer, client.does !== "waits"),
  }
}

function sensibleAnswer(answer: Answer, clientLeaves: boolean): Answer {
  const { body, status, minorVersion } = answer
  const empty = status === 204 || status === 304
  const framed: Body = empty
    ? { framing: "none" }
    : body.framing === "none" || (body.framing === "chunked" && minorVersion === 0)
      ? { framing: "close", bytes: "bytes" in body ? body.bytes : 0, offset: 0 }
      : body
  const early = answer.at === "its head"
  // An end is how such a body is whole; only a reset is a break.
  const how = framed.framing === "close" ? "reset" : answer.breaks?.how
  const breaks =
    answer.breaks === undefined || how === undefined || clientLeaves || early
      ? undefined
      : { ...answer.breaks, how }
  const final: Body = early && framed.framing === "close" ? { ...framed, framing: "length" } : framed
  return {
    ...answer,
    body: final,
    minorVersion: early ? 1 : minorVersion,
    // Whoever closes while the other still sends may destroy its own answer on the way: nobody could say what is right.
    keepAlive: early || (answer.keepAlive && final.framing !== "close"),
    breaks,
  }
}
