// Datagrams of UDP ports that did not arrive, counted by port. What the system says nobody took is told besides: once when it begins
// at a port and once when an answer comes from there again.
import type { Logger } from "pino"
import type { LogLimit } from "./log-limit.ts"
import { remedyOf } from "./remedies.ts"
import type { FlowListener, SettledRequest } from "./settled-request.ts"
import { portOption } from "./settled-request.ts"

export interface LostDatagramsOptions {
  readonly tunnel: string
  readonly log: Logger
  /** Of a server that comes and goes. */
  readonly limit: LogLimit<string>
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Every refusal, for the list of last errors. */
  readonly onError: (code: typeof refusedCode, detail: string, remedy: string) => void
}

export class LostDatagrams implements FlowListener {
  readonly #options: LostDatagramsOptions
  readonly #refused = new Map<string, number>()
  readonly #dropped = new Map<string, number>()
  /** By the port's name: since when datagrams are refused, and how many were. */
  readonly #down = new Map<string, { readonly since: number; failed: number; readonly told: boolean }>()

  constructor(options: LostDatagramsOptions) {
    this.#options = options
  }

  /** Datagrams that were refused, by the port's name. */
  get refusedByPort(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refused)
  }

  /** Datagrams that had no room, by the port's name. */
  get droppedByPort(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#dropped)
  }

  dropped({ target }: SettledRequest, count: number): void {
    add(this.#dropped, target, count)
  }

  refused(flow: SettledRequest, detail: string): void {
    const { tunnel, log, limit, now, onError } = this.#options
    const { target, upstream = "" } = flow
    const port = portOption(flow) ?? ""
    add(this.#refused, target, 1)
    const remedy = remedyOf(refusedCode, { upstream, port })
    onError(refusedCode, `${detail} at ${port}`, remedy)
    const down = this.#down.get(target)
    if (down !== undefined) {
      down.failed++
      return
    }
    const told = limit.pass(`down ${port}`) !== undefined
    this.#down.set(target, { since: now(), failed: 1, told })
    if (told) log.warn({ tunnel, port, upstream, code: refusedCode, detail, remedy }, "upstream down")
  }

  heard(flow: SettledRequest): void {
    const { tunnel, log, now } = this.#options
    const { target, upstream } = flow
    const down = this.#down.get(target)
    if (down === undefined) return
    this.#down.delete(target)
    const { since, failed, told } = down
    if (told)
      log.info({ tunnel, port: portOption(flow), upstream, downMs: now() - since, failed }, "upstream up")
  }
}

function add(counts: Map<string, number>, port: string, count: number): void {
  counts.set(port, (counts.get(port) ?? 0) + count)
}

const refusedCode = "upstream_refused"
