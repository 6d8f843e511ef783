// What a session of an agent is made with, and whom it tells of what happens to it.
import type { OpenPort } from "@restante/protocol"
import type { AgentSession } from "./agent-session.ts"

export interface AgentSessionOptions {
  readonly id: string
  readonly tunnel: string
  /** Stable name of the agent's place: a new process there replaces the old one's session. */
  readonly instance: string
  /** Of the token that it was let in with. */
  readonly credentialId: string
  /** Most streams at a time. */
  readonly concurrency: number
  /** Whether it takes requests. Default true. */
  readonly http?: boolean
  /** Ports of the edge that lead to it, and the queues of their tickets. Default: none. */
  readonly ports?: readonly OpenPort[]
  readonly queues?: readonly string[]
  /** Most streams of ports at a time, beside `concurrency`. Default 0. */
  readonly connections?: number
  /** Whether the agent takes messages in pieces. Default false. */
  readonly pieces?: boolean
  /** What an agent is told about how long the upstream may take to begin its answer, in milliseconds. */
  readonly timeoutMs: number
  readonly port: AgentSessionPort
  /** For people: when it attached, epoch milliseconds, and what it says it is. */
  readonly since?: number
  readonly software?: string
}

export interface AgentSessionPort {
  /** A stream ended or the session became usable: more tickets may fit. */
  onRoom(session: AgentSession): void
  /** The last carrier is gone (false), or there is one again (true). */
  onAttached(session: AgentSession, attached: boolean): void
}
