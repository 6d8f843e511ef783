// What a reader made of a stream of bytes, in a form that two readers can be compared by.

import {
  FieldBlock,
  Http1Error,
  type Http1ErrorCode,
  type Http1Limits,
  RequestReader,
  ResponseReader,
} from "../../src/http1/index.ts"

export interface Message {
  /** Method and target, or status and reason. */
  readonly start: readonly [string, string]
  readonly minorVersion: number
  /** Names and values in turn. */
  readonly fields: readonly string[]
  readonly keepAlive: boolean
  /** Body bytes as latin-1. */
  body: string
  trailers: readonly string[]
  complete: boolean
}

export interface Transcript {
  readonly messages: Message[]
  /** Why reading ended, or undefined: all was read. */
  error: string | undefined
  /** Bytes not read because the connection became another protocol; -1 when it did not. */
  rest: number
}

/** A stream to read: requests, or the responses to requests with these methods (again from the first when there are more). */
export interface Stream {
  readonly kind: "request" | "response"
  readonly methods: readonly string[]
  readonly bytes: Buffer
}

/** Reads the pieces with our reader the way a connection does: until an error, a message that ends the connection, or an upgrade. */
export function readOurs(stream: Stream, pieces: readonly Buffer[], limits?: Http1Limits): OurTranscript {
  return stream.kind === "request"
    ? readRequests(pieces, limits)
    : readResponses(stream.methods, pieces, limits)
}

/** Field lines as names and values in turn. */
const flat = (raw: string): string[] => [...new FieldBlock(raw)].flat()

export interface OurTranscript extends Transcript {
  error: Http1ErrorCode | undefined
  /** Offset where each message began, interim responses before it included; after them the offset where reading ended or broke. */
  readonly starts: number[]
  /** Offset after the last complete final message. */
  boundary: number
}

const nothingYet = (): OurTranscript => ({
  messages: [],
  error: undefined,
  rest: -1,
  starts: [],
  boundary: 0,
})

function readRequests(pieces: readonly Buffer[], limits: Http1Limits | undefined): OurTranscript {
  const out = nothingYet()
  let current: Message | undefined
  let answered = 0
  let ends: "no" | "upgrade" | "close" = "no"
  const reader = new RequestReader(
    {
      onHead(head) {
        current = begin([head.method, head.target], head.minorVersion, head.fields.raw, head.keepAlive)
        out.starts.push(out.boundary)
        out.messages.push(current)
        if (head.method === "CONNECT") reader.stopAfterHead()
        const stops = head.method === "CONNECT" || head.upgrade !== undefined
        ends = stops ? "upgrade" : head.keepAlive ? "no" : "close"
        if (head.method === "CONNECT") current.complete = true
      },
      onData(bytes) {
        if (current !== undefined) current.body += bytes.toString("latin1")
      },
      onEnd(trailers) {
        if (current !== undefined) finish(current, trailers)
        answered += 1
      },
    },
    limits,
  )
  return drive(out, pieces, {
    read: (bytes) => reader.read(bytes),
    eof: () => reader.eof(),
    finished: () => answered,
    ended: () => (current?.complete === true ? ends : "no"),
  })
}

function readResponses(
  methods: readonly string[],
  pieces: readonly Buffer[],
  limits: Http1Limits | undefined,
): OurTranscript {
  const out = nothingYet()
  let current: Message | undefined
  let ends: "no" | "upgrade" | "close" = "no"
  let answered = 0
  const reader = new ResponseReader(
    {
      onInformational(head) {
        const message = begin(
          [String(head.status), head.reason],
          head.minorVersion,
          head.fields.raw,
          head.keepAlive,
        )
        out.starts.push(out.boundary)
        out.messages.push(finish(message, ""))
      },
      onHead(head) {
        current = begin(
          [String(head.status), head.reason],
          head.minorVersion,
          head.fields.raw,
          head.keepAlive,
        )
        out.starts.push(out.boundary)
        out.messages.push(current)
        const tunnel = methods[answered % methods.length] === "CONNECT" && head.status < 300
        ends = tunnel || head.status === 101 ? "upgrade" : head.keepAlive ? "no" : "close"
        if (ends === "upgrade") current.complete = true
      },
      onData(bytes) {
        if (current !== undefined) current.body += bytes.toString("latin1")
      },
      onEnd(trailers) {
        if (current !== undefined) finish(current, trailers)
        answered += 1
      },
    },
    limits,
  )
  return drive(out, pieces, {
    read(bytes) {
      if (reader.idle) reader.begin(methods[answered % methods.length] ?? "GET")
      return reader.read(bytes)
    },
    eof: () => reader.eof(),
    finished: () => answered,
    ended: () => (current?.complete === true ? ends : "no"),
  })
}

interface Driven {
  read(bytes: Buffer): number
  eof(): void
  /** How many final messages are complete. */
  finished(): number
  ended(): "no" | "upgrade" | "close"
}

function drive(out: OurTranscript, pieces: readonly Buffer[], reader: Driven): OurTranscript {
  try {
    let ended: "no" | "upgrade" | "close" = "no"
    let rest = 0
    let offset = 0
    let finished = 0
    for (const piece of pieces) {
      let at = 0
      while (ended === "no" && at < piece.length) {
        const taken = reader.read(at === 0 ? piece : piece.subarray(at))
        at += taken
        offset += taken
        if (reader.finished() > finished) {
          finished = reader.finished()
          out.boundary = offset
        }
        ended = reader.ended()
      }
      rest += piece.length - at
    }
    if (ended === "upgrade") out.rest = rest
    if (ended === "no") reader.eof()
  } catch (error) {
    if (!(error instanceof Http1Error)) throw error
    out.error = error.code
  }
  out.starts.push(out.boundary)
  return out
}

function begin(
  start: readonly [string, string],
  minorVersion: number,
  raw: string,
  keepAlive: boolean,
): Message {
  return { start, minorVersion, fields: flat(raw), keepAlive, body: "", trailers: [], complete: false }
}

function finish(message: Message, trailers: string): Message {
  message.trailers = flat(trailers)
  message.complete = true
  return message
}
