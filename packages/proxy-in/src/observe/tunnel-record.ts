// What a tunnel's agent remembers and tells of its requests: counts, the last errors, and log lines about its upstream,
// once when something begins and once when it ends.
import type { Logger } from "pino"
import type { AgentCounters, RequestCounts, StatusError } from "../status/status.ts"
import type { ReplayOutcome } from "../upstream/replay.ts"
import { LogLimit } from "./log-limit.ts"
import { LostDatagrams } from "./lost-datagrams.ts"
import { RecentErrors } from "./recent-errors.ts"
import { remedyOf, unreachableCodes } from "./remedies.ts"
import { RequestRate } from "./request-rate.ts"
import type { RequestListener, SettledRequest } from "./settled-request.ts"
import { portOption } from "./settled-request.ts"
import { latencyBoundsMs, Tally } from "./tally.ts"

export interface TunnelRecordOptions {
  readonly tunnel: string
  /** The upstream as a person writes it. */
  readonly upstream: string
  readonly log: Logger
  /** Whether every request is a line of the log, at level info; else it is one at level debug. */
  readonly logRequests: boolean
  readonly onRequest: RequestListener | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Failures of one kind, and an upstream that comes and goes, are told this often at most. */
const repeatMs = 10_000

export class TunnelRecord {
  readonly tally = new Tally()
  readonly lost: LostDatagrams
  /** How often the tunnel was attached. */
  attaches = 0
  readonly #linkFailures = new Map<string, number>()
  readonly #options: TunnelRecordOptions
  readonly #rate = new RequestRate()
  readonly #errors = new RecentErrors()
  readonly #limit: LogLimit<string>
  /** Since when no connection to the upstream can be made, and how many requests failed of it. */
  #down: { readonly since: number; failed: number; readonly told: boolean } | undefined

  constructor(options: TunnelRecordOptions) {
    this.#options = options
    const { tunnel, log, now } = options
    this.#limit = new LogLimit(repeatMs, now)
    this.lost = new LostDatagrams({
      tunnel,
      log,
      limit: this.#limit,
      now,
      onError: (code, detail, remedy) => this.#error(code, detail, remedy),
    })
  }

  /** Of replays; `active` is not known here. */
  counts(nowMs: number): Omit<RequestCounts, "active"> {
    const { served, failed, cancelled } = this.tally
    return { served, failed, cancelled, perSecond: this.#rate.perSecond(nowMs) }
  }

  /** What grows, but for the upstream's connections, which are not known here. */
  get counters(): Omit<AgentCounters, "connections"> {
    const { tally } = this
    const classes = [...tally.answeredByClass].map((count, digit) => [
      digit === 0 ? "other" : `${digit}xx`,
      count,
    ])
    return {
      answered: Object.fromEntries(classes),
      failed: Object.fromEntries(tally.failedByCode),
      refusedDatagrams: this.lost.refusedByPort,
      droppedDatagrams: this.lost.droppedByPort,
      requestBytes: tally.requestBytes,
      responseBytes: tally.responseBytes,
      upstream: { boundsMs: latencyBoundsMs, counts: [...tally.latencies], sumMs: tally.latencySumMs },
      attaches: this.attaches,
      linkFailures: Object.fromEntries(this.#linkFailures),
    }
  }

  /** Newest first. */
  get errors(): readonly StatusError[] {
    return this.#errors.list
  }

  /** False since a connection to the upstream failed and none has served since. */
  get upstreamUp(): boolean {
    return this.#down === undefined
  }

  /** The link to the edge could not be made, or was lost. */
  linkFailed(code: string, detail: string, remedy: string): void {
    this.#linkFailures.set(code, (this.#linkFailures.get(code) ?? 0) + 1)
    this.#error(code, detail, remedy)
  }

  settled(request: SettledRequest, outcome: ReplayOutcome): void {
    this.tally.add(request, outcome)
    this.#rate.note(request.endedAt)
    if (outcome.kind === "failed") this.#failed(request, outcome)
    else if (this.#down !== undefined && outcome.kind === "answered" && request.upstream === undefined)
      this.#recovered(this.#down)
    const { log, logRequests, onRequest } = this.#options
    if (logRequests || log.isLevelEnabled("debug")) this.#tell(request, outcome)
    onRequest?.(request, outcome)
  }

  #failed(request: SettledRequest, { code, detail }: Extract<ReplayOutcome, { kind: "failed" }>): void {
    const { tunnel, upstream, log, now } = this.#options
    const port = portOption(request)
    const remedy = remedyOf(code, { upstream: request.upstream ?? upstream, port })
    this.#error(code, port === undefined ? detail : `${detail} at ${port}`, remedy)
    if (request.upstream === undefined && unreachableCodes.has(code)) {
      if (this.#down !== undefined) {
        this.#down.failed++
        return
      }
      const told = this.#limit.pass("down") !== undefined
      this.#down = { since: now(), failed: 1, told }
      if (told) log.warn({ tunnel, upstream, code, detail, remedy }, "upstream down")
      return
    }
    const notTold = this.#limit.pass(port === undefined ? code : `${code} ${port}`)
    if (notTold === undefined) return
    const { exchange, method } = request
    const more = { ...(port === undefined ? {} : { port }), ...(notTold === 0 ? {} : { notTold }) }
    log.warn({ tunnel, exchange, method, code, detail, remedy, ...more }, "request failed")
  }

  #error(code: string, detail: string, remedy: string): void {
    this.#errors.add({ at: this.#options.now(), code, detail, remedy })
  }

  #recovered(down: { readonly since: number; readonly failed: number; readonly told: boolean }): void {
    const { tunnel, upstream, log, now } = this.#options
    this.#down = undefined
    if (down.told)
      log.info({ tunnel, upstream, downMs: now() - down.since, failed: down.failed }, "upstream up")
  }

  #tell(request: SettledRequest, outcome: ReplayOutcome): void {
    const { tunnel, log, logRequests } = this.#options
    const { exchange, method, target, status, startedAt, endedAt, upstreamMs } = request
    const { requestBytes, responseBytes } = request
    const failure = outcome.kind === "failed" ? { code: outcome.code, detail: outcome.detail } : {}
    log[logRequests ? "info" : "debug"](
      {
        tunnel,
        exchange,
        method,
        path: pathOf(target),
        outcome: outcome.kind,
        ...(status === 0 ? {} : { status }),
        ...failure,
        durationMs: rounded(endedAt - startedAt),
        ...(upstreamMs === undefined ? {} : { upstreamMs: rounded(upstreamMs) }),
        requestBytes,
        responseBytes,
      },
      "request",
    )
  }
}

/** Queries stay out of logs: they may hold secrets. */
function pathOf(target: string): string {
  const query = target.indexOf("?")
  return query === -1 ? target : target.slice(0, query)
}

/** Microseconds are more than a log needs. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
