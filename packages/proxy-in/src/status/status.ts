// What an agent says about itself at one moment: the answer of `/status.json` and the text of the status page.
import type { Transport } from "../agent-options.ts"

export interface AgentStatus {
  readonly link: LinkState
  /** The edge as given by `--external`. */
  readonly edge: string
  readonly tunnel: string
  /** The private server as a person writes it, e.g. "http://127.0.0.1:8080" or "unix:/run/app.sock". */
  readonly upstream: string
  /** What `--transport` asked for. */
  readonly transport: Transport
  /** What carries messages at the moment; undefined when nothing does. */
  readonly carriedOn: "poll" | "websocket" | undefined
  /** Last measured time from this agent to the edge and back, in milliseconds; undefined before the first measurement. */
  readonly roundTripMs: number | undefined
  /** Epoch milliseconds when the agent started. */
  readonly startedAt: number
  readonly requests: RequestCounts
  readonly counters: AgentCounters
  /** False since a connection to the private server failed and none has served since. */
  readonly upstreamUp: boolean
  /** Newest first, at most 10. Short texts for people; never a secret, never a request's content. */
  readonly lastErrors: readonly StatusError[]
}

/** All tunnels of one process. At the top stands what the first one says. */
export interface ProgramStatus extends AgentStatus {
  /** In the order of the configuration, at least one. */
  readonly tunnels: readonly AgentStatus[]
}

export type LinkState =
  /** Never attached yet. */
  | { readonly kind: "connecting" }
  /** `since`: epoch milliseconds. */
  | { readonly kind: "connected"; readonly since: number }
  /** Was or could not be attached; `attempt` counts from 1, `retryAt` is epoch milliseconds. */
  | {
      readonly kind: "reconnecting"
      readonly attempt: number
      readonly retryAt: number
      readonly reason: string
    }
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" }

export interface RequestCounts {
  /** Being replayed now. */
  readonly active: number
  /** Answered by the upstream, whatever its status. */
  readonly served: number
  /** Ended without a whole answer of the upstream. */
  readonly failed: number
  /** Ended by the client, which left. */
  readonly cancelled: number
  /** Ended per second, the mean of the last seconds. */
  readonly perSecond: number
}

/** What only ever grows, and the connections: for programs that watch. */
export interface AgentCounters {
  /** Answered requests by the class of their status: "1xx" to "5xx", "other". */
  readonly answered: Readonly<Record<string, number>>
  /** Failed requests by code. */
  readonly failed: Readonly<Record<string, number>>
  /** Datagrams that the system says did not reach the private server, by the name of their UDP port. */
  readonly refusedDatagrams: Readonly<Record<string, number>>
  /** Datagrams that the agent had no room for, either way, by the name of their UDP port. */
  readonly droppedDatagrams: Readonly<Record<string, number>>
  /** Bytes of bodies: towards the private server and from it. */
  readonly requestBytes: number
  readonly responseBytes: number
  /** From sending a request to the head of its answer. `counts` has one class more than there are bounds: what took longer. */
  readonly upstream: {
    readonly boundsMs: readonly number[]
    readonly counts: readonly number[]
    readonly sumMs: number
  }
  /** To the private server. */
  readonly connections: { readonly open: number; readonly idle: number; readonly opened: number }
  /** How often it was attached. */
  readonly attaches: number
  /** Every try that failed, by code. */
  readonly linkFailures: Readonly<Record<string, number>>
}

/** One or several errors of the same kind. */
export interface StatusError {
  /** When it last happened, epoch milliseconds. */
  readonly at: number
  readonly firstAt: number
  readonly count: number
  /** What kind of error: a name of ours, e.g. "upstream_refused". */
  readonly code: string
  /** The system's code or a rule's name, e.g. "ECONNREFUSED"; "" for none. */
  readonly detail: string
  /** One sentence that says what is wrong and what to do. */
  readonly remedy: string
  /** Code and detail. */
  readonly message: string
}
