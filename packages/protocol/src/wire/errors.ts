// What can be wrong with bytes that came from (or are about to go to) the peer: one class, one closed table.
// A session that raised one of these is over; the only cure is to attach anew.
export class WireError extends Error {
  readonly code: WireErrorCode

  /** `detail` is for our own log; the code is all that a peer is ever told. */
  constructor(code: WireErrorCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`)
    this.name = "WireError"
    this.code = code
  }

  /** HTTP status for the request that carried the offending bytes. */
  get status(): number {
    return wireErrorTable[this.code].status
  }

  /** Whether attaching anew may help. False: the peer has to be changed first. */
  get retryable(): boolean {
    return wireErrorTable[this.code].retryable
  }
}

export interface WireErrorTraits {
  /** HTTP status for the request that carried the offending bytes. */
  readonly status: number
  /** Whether attaching anew may help. */
  readonly retryable: boolean
}

export const wireErrorTable = {
  /** The body does not begin with our magic: some other program answered (a captive portal, a wrong URL). */
  not_restante: { status: 400, retryable: true },
  /** The magic is ours, the version is not. */
  version_unsupported: { status: 400, retryable: false },
  /** A body of messages ended in the middle of one. */
  message_truncated: { status: 400, retryable: true },
  /** A message is larger than `maxMessageBytes`, or its length field contradicts its size. */
  message_size: { status: 413, retryable: true },
  /** A message or acknowledgement number is beyond 2^53 - 1. */
  number_out_of_range: { status: 400, retryable: true },
  /** A message number is further ahead than the sender may be. */
  number_beyond_window: { status: 400, retryable: true },
  /** The peer acknowledged what was never sent. */
  ack_unsent: { status: 400, retryable: true },
  /** More bytes arrived ahead of a missing message than the sender may have in flight. */
  reorder_overflow: { status: 413, retryable: true },
  /** A frame says it is longer than the message that holds it. */
  frame_truncated: { status: 400, retryable: true },
  /** A frame, or a part of one, is larger than its limit. */
  frame_size: { status: 413, retryable: true },
  /** A frame's content breaks the rules of its type. */
  frame_malformed: { status: 400, retryable: true },
  /** A frame type below 128 that this version does not know. */
  frame_unknown: { status: 400, retryable: false },
  /** A frame in a place where it may not be: stream 0 or not, a stream frame in an unnumbered message. */
  frame_unexpected: { status: 400, retryable: true },
  /** The peer sent more body bytes than it was granted. */
  credit_exceeded: { status: 400, retryable: true },
  /** The peer granted more than `maxWindowBytes`. */
  credit_overflow: { status: 400, retryable: true },
} as const satisfies Record<string, WireErrorTraits>

export type WireErrorCode = keyof typeof wireErrorTable
