// All sessions attached to this edge: who resumes which, which are over, and which have fallen silent.
import type { OpenPort } from "@restante/protocol"
import type { Logger } from "pino"
import type { Clock } from "../clock.ts"
import type { Credential } from "../credentials/credentials.ts"
import { Deadlines } from "../exchange/deadlines.ts"
import type { Broker } from "../queue/broker.ts"
import { AgentSession } from "./agent-session.ts"
import type { AgentSessionPort } from "./agent-session-options.ts"
import { TunnelSessions } from "./tunnel-sessions.ts"
import type { TicketSource } from "./tunnel-sessions.ts"

export interface SessionsOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly log: Logger
  readonly tickets: TicketSource
  /** Passed on to agents, see AgentSessionOptions. */
  readonly timeoutMs: number
  readonly observer?: SessionObserver | undefined
  /** Whether some agent serves a port's queue here has changed. */
  readonly onServed?: ((queue: string, served: boolean) => void) | undefined
}

export interface SessionObserver {
  sessionAttached(): void
  sessionEnded(why: string): void
}

export interface Attaching {
  readonly id: string
  readonly tunnel: string
  readonly instance: string
  readonly concurrency: number
  readonly software: string
  /** Of the token that it was let in with. */
  readonly credentialId: string
  /** Whether it takes requests. Default true. */
  readonly http?: boolean | undefined
  /** What it was given, and where their tickets wait. Default: none. */
  readonly ports?: readonly OpenPort[] | undefined
  readonly queues?: readonly string[] | undefined
  /** Most connections and flows of ports at a time. Default 0. */
  readonly connections?: number | undefined
  /** Whether it takes messages in pieces. Default false. */
  readonly pieces?: boolean | undefined
}

/** "refused": its token does not allow it any more, or a route of its tunnel turned out to be another's. */
export type SessionEnd = "expired" | "replaced" | "detached" | "broken" | "stopped" | "refused"

/** How long a session without any carrier is kept (docs/protocol.md, "Resume"). */
export const resumeSeconds = 30
/** An idle session costs an edge some 10 KiB. */
const maxSessions = 10_000
/** Of these with the same named token, so that one that is not in good hands leaves room for the others. */
const maxSessionsOfToken = 2000
/** When other agents may serve, a lost one's repeatable requests wait for it only this long. */
const failoverMs = 2000
const checkMs = 1000
/** An agent says something at least every 10 s; carriers that bring nothing for this long are dead. */
const silentChecks = 35
/** A process that was replaced at its place has this long to show that it is alive after all. */
const replacedMs = 2000

export class Sessions implements AgentSessionPort {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, AgentSession>()
  readonly #ofTokens = new Map<string, number>()
  readonly #tunnels = new Map<string, TunnelSessions>()
  /** Those that serve a port, by its queue. */
  readonly #ports = new Map<string, TunnelSessions>()
  readonly #expiry: Deadlines<AgentSession>
  readonly #failover: Deadlines<AgentSession>
  readonly #quiet = new WeakMap<
    AgentSession,
    { heard: number; checks: number; acknowledged: number; stuck: number; missing: boolean }
  >()
  #checker: NodeJS.Timeout | undefined

  constructor(options: SessionsOptions) {
    this.#options = options
    const { clock } = options
    this.#expiry = new Deadlines({
      afterMs: resumeSeconds * 1000,
      clock,
      onExpired: (session) => this.end(session, "expired"),
    })
    this.#failover = new Deadlines({
      afterMs: failoverMs,
      clock,
      onExpired: (session) => this.#failOver(session),
    })
  }

  start(): void {
    this.#checker = setTimeout(() => {
      for (const session of this.#sessions.values()) this.#check(session)
      this.start()
    }, checkMs)
    this.#checker.unref()
  }

  stop(): void {
    clearTimeout(this.#checker)
    for (const session of this.#sessions.values()) this.end(session, "stopped")
    this.#expiry.stop()
    this.#failover.stop()
  }

  get(id: string): AgentSession | undefined {
    return this.#sessions.get(id)
  }

  /** Whether some agent serves it here, or is expected back. */
  serves(tunnel: string): boolean {
    return this.#tunnels.has(tunnel)
  }

  /** Ends the sessions that `which` names. */
  endThose(which: (session: AgentSession) => boolean, why: SessionEnd): void {
    for (const session of this.#sessions.values()) if (which(session)) this.end(session, why)
  }

  /** Those that serve a tunnel. */
  get all(): Iterable<AgentSession> {
    return [...this.#tunnels.values()].flatMap(({ sessions }) => [...sessions])
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Undefined while another one may attach, else whose room is taken. Of the operator's own token any number may be there. */
  full({ id, isOwn }: Pick<Credential, "id" | "isOwn">): { of: "edge" | "token"; most: number } | undefined {
    if (this.#sessions.size >= maxSessions) return { of: "edge", most: maxSessions }
    if (isOwn === true || (this.#ofTokens.get(id) ?? 0) < maxSessionsOfToken) return undefined
    return { of: "token", most: maxSessionsOfToken }
  }

  create(attaching: Attaching): AgentSession {
    const { id, tunnel, instance, concurrency, software, credentialId } = attaching
    const { http = true, ports = [], queues = [], connections = 0, pieces = false } = attaching
    const options = this.#options
    const { broker, tickets, log } = options
    const session = new AgentSession({
      id,
      tunnel,
      instance,
      concurrency,
      http,
      ports,
      queues,
      connections,
      pieces,
      credentialId,
      // It may change while the edge runs.
      get timeoutMs() {
        return options.timeoutMs
      },
      since: options.clock.now(),
      software,
      port: this,
    })
    this.#sessions.set(id, session)
    this.#count(credentialId, 1)
    if (concurrency === 0) {
      // It looks whether the way works and serves nobody: the tunnel does not know of it.
      this.#expiry.set(session)
      log.info({ tunnel, session: shortId(session), software }, "the way is being checked")
      return session
    }
    this.#replace(tunnel, instance)
    let sessions = this.#tunnels.get(tunnel)
    if (sessions === undefined) {
      sessions = new TunnelSessions(tunnel, broker, tickets)
      this.#tunnels.set(tunnel, sessions)
    }
    sessions.add(session)
    for (const queue of queues) this.#servePort(queue, session)
    this.#options.observer?.sessionAttached()
    this.#expiry.set(session)
    log.info({ tunnel, session: shortId(session), concurrency, software }, "agent attached")
    return session
  }

  end(session: AgentSession, why: SessionEnd): void {
    if (!this.#sessions.delete(session.id)) return
    this.#count(session.credentialId, -1)
    this.#expiry.clear(session)
    this.#failover.clear(session)
    const sessions = this.#tunnels.get(session.tunnel)
    sessions?.delete(session)
    this.#options.log.info(
      { tunnel: session.tunnel, session: shortId(session), why, active: session.active },
      "agent session ended",
    )
    this.#options.observer?.sessionEnded(why)
    session.end(why === "detached" ? "farewell" : why === "replaced" ? "replaced" : "lost")
    if (sessions?.size === 0) {
      sessions.close()
      this.#tunnels.delete(session.tunnel)
    }
    for (const queue of session.queues) this.#leavePort(queue, session)
  }

  #count(credentialId: string, more: 1 | -1): void {
    const count = (this.#ofTokens.get(credentialId) ?? 0) + more
    if (count === 0) this.#ofTokens.delete(credentialId)
    else this.#ofTokens.set(credentialId, count)
  }

  #servePort(queue: string, session: AgentSession): void {
    const { broker, tickets, onServed } = this.#options
    let sessions = this.#ports.get(queue)
    if (sessions === undefined) {
      sessions = new TunnelSessions(queue, broker, tickets, (one) => one.portRoom)
      this.#ports.set(queue, sessions)
      onServed?.(queue, true)
    }
    sessions.add(session)
  }

  #leavePort(queue: string, session: AgentSession): void {
    const sessions = this.#ports.get(queue)
    sessions?.delete(session)
    if (sessions?.size !== 0) return
    sessions.close()
    this.#ports.delete(queue)
    this.#options.onServed?.(queue, false)
  }

  onRoom(session: AgentSession): void {
    this.#tunnels.get(session.tunnel)?.ready()
    for (const queue of session.queues) this.#ports.get(queue)?.ready()
  }

  onAttached(session: AgentSession, attached: boolean): void {
    if (attached) {
      this.#expiry.clear(session)
      this.#failover.clear(session)
      this.onRoom(session)
    } else if (!session.ended) {
      this.#expiry.set(session)
      this.#failover.set(session)
    }
  }

  /** An agent has started anew where another one was: that one's process is gone, unless it shows otherwise. */
  #replace(tunnel: string, instance: string): void {
    for (const old of this.#tunnels.get(tunnel)?.sessions ?? []) {
      if (old.instance !== instance) continue
      if (!old.attached && !old.betweenPolls) {
        this.end(old, "replaced")
        continue
      }
      const { heard } = old
      old.session.ping(replacedProbe)
      setTimeout(() => {
        if (old.heard > heard) return
        old.silent = true
        this.end(old, "replaced")
      }, replacedMs).unref()
    }
  }

  #failOver(session: AgentSession): void {
    if (session.attached || session.active === 0) return
    for (const other of this.#tunnels.get(session.tunnel)?.sessions ?? []) {
      if (other !== session && other.attached) return session.releaseRepeatable()
    }
  }

  #check(session: AgentSession): void {
    let quiet = this.#quiet.get(session)
    if (quiet === undefined)
      this.#quiet.set(session, (quiet = { heard: -1, checks: 0, acknowledged: 0, stuck: 0, missing: false }))
    quiet.checks = session.heard > quiet.heard ? 0 : quiet.checks + 1
    quiet.heard = session.heard
    if (!session.attached) return
    if (quiet.checks >= silentChecks) {
      session.silent = true
      session.closeCarriers()
      return
    }
    // A gap that lasts: what should have come before is lost, although no carrier told so.
    if (session.session.missing && quiet.missing) session.requestMissing()
    quiet.missing = session.session.missing
    const acknowledged = session.session.progress
    const waits = session.session.unacknowledgedBytes > 0 && acknowledged === quiet.acknowledged
    quiet.stuck = waits ? quiet.stuck + 1 : 0
    quiet.acknowledged = acknowledged
    if (quiet.stuck > 0 && quiet.stuck % 15 === 0) session.session.resendAll()
  }
}

const replacedProbe = Buffer.from("replaced", "latin1")

/** Enough to find it in a log; the whole id is what lets an agent in. */
export function shortId(session: AgentSession): string {
  return session.id.slice(0, 6)
}
