// What a replay writes to: one stream of the session, seen from the agent.
import type { ResetCode } from "@restante/protocol"

/** After `reset`, or after both sides have ended, nothing more is said. Buffers given away are not touched again by the giver. */
export interface ReplyStream {
  /** The upstream may have seen the request from now on. */
  taken(): void
  /** `flags`: HeadFlag. `head`: a latin-1 response head with its empty line. `inlineBody`: only with HeadFlag.final. */
  head(flags: number, head: string, inlineBody?: Buffer): void
  /** Before the final head: how long the upstream took to begin its answer, for measurements only. */
  timing(upstreamMicroseconds: number): void
  data(bytes: Buffer): void
  /** Raw trailer lines, "" for none. */
  end(trailers: string): void
  /** `detail` is for logs on the other side, never for a client. */
  reset(code: ResetCode, detail?: string): void
  /** More request bytes may come. */
  window(creditBytes: number): void
  /** True while the session's buffers are full: read no more from the upstream until `resume()` of the replay. */
  readonly congested: boolean
}
