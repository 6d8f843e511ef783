// Sinks that write down what a reader calls, and a way to feed bytes in pieces, for the tests of the readers.

import {
  type MessageSink,
  type RequestHead,
  RequestReader,
  type ResponseHead,
  ResponseReader,
} from "../../src/http1/index.ts"
import type { Http1Limits, ResponseSink } from "../../src/http1/index.ts"

export interface Recorded<H> {
  readonly heads: H[]
  readonly interim: H[]
  /** Body bytes so far as latin-1, all messages together. */
  body: string
  /** Trailers of each ended message. */
  readonly trailers: string[]
  readonly data: Buffer[]
}

export function recordRequests(limits?: Http1Limits): { reader: RequestReader; seen: Recorded<RequestHead> } {
  const { seen, sink } = recorder<RequestHead>()
  return { reader: new RequestReader(sink, limits), seen }
}

/** A reader that waits for the response to a request with this method. */
export function recordResponses(
  method: string,
  limits?: Http1Limits,
): { reader: ResponseReader; seen: Recorded<ResponseHead> } {
  const { seen, sink } = recorder<ResponseHead>()
  const responseSink: ResponseSink = { ...sink, onInformational: (head) => seen.interim.push(head) }
  const reader = new ResponseReader(responseSink, limits)
  reader.begin(method)
  return { reader, seen }
}

/** Reads the text as one message after the other; returns how many bytes were left when a read() took nothing. */
export function feed(reader: { read(bytes: Buffer): number }, text: string): number {
  let bytes = Buffer.from(text, "latin1")
  while (bytes.length > 0) {
    const taken = reader.read(bytes)
    if (taken === 0) break
    bytes = bytes.subarray(taken)
  }
  return bytes.length
}

export function feedSingly(reader: { read(bytes: Buffer): number }, text: string): void {
  for (const byte of Buffer.from(text, "latin1")) reader.read(Buffer.of(byte))
}

function recorder<H>(): { seen: Recorded<H>; sink: MessageSink<H> } {
  const seen: Recorded<H> = { heads: [], interim: [], body: "", trailers: [], data: [] }
  const sink: MessageSink<H> = {
    onHead: (head) => seen.heads.push(head),
    onData: (bytes) => {
      seen.data.push(bytes)
      seen.body += bytes.toString("latin1")
    },
    onEnd: (trailers) => seen.trailers.push(trailers),
  }
  return { seen, sink }
}
