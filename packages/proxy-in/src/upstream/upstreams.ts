// What an exchange needs of the way to the upstream, whichever HTTP is spoken on it. Both sides speak HTTP/1 heads and framing to it;
// what goes over the wire is the implementation's.
import type { WindowBudget } from "@restante/protocol"
import type { UpstreamAddress } from "../agent-options.ts"
import type { BodyBuffers } from "./body-buffers.ts"
import type { ConnectionUser, RawUser } from "./connection.ts"

export interface Upstreams {
  readonly upstream: UpstreamAddress
  readonly buffers: BodyBuffers
  readonly windows: WindowBudget
  /** Connections are kept, so a request need not ask for its connection to be closed. */
  readonly persistent: boolean
  /** What is spoken on them is HTTP/2. */
  readonly http2?: true
  /**
   * A way for one exchange, which is ready or says so by `onReady`. `fresh`: not one that has served before. `halfOpen`: the exchange
   * may switch protocols on it. Undefined once there are no more.
   */
  acquire(user: ConnectionUser, fresh?: boolean, halfOpen?: boolean): UpstreamLink | undefined
}

/** One exchange's; see `UpstreamConnection` for each of these. */
export interface UpstreamLink {
  readonly ready: boolean
  readonly persistent: boolean
  readonly unsentBytes: number
  begin(method: string): void
  write(bytes: Buffer | string, onTaken?: () => void): void
  together(step: () => void): void
  turnRaw(user: RawUser): void
  endWriting(): void
  expectWithin(milliseconds: number): void
  pause(): void
  resume(): void
  release(spent?: boolean): void
  abort(): void
}
