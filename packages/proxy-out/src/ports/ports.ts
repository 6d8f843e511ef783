// The ports that are open for tunnels. A port belongs to its tunnel: it stays open while the agent is away, so that what comes
// meanwhile is held like a request, and is given up once the tunnel has had no agent for it for a while.
import { maxPorts } from "@restante/protocol"
import type { OpenPort, PortKind, PortRequest } from "@restante/protocol"
import type { Logger } from "pino"
import type { Clock } from "../clock.ts"
import type { ShareLimits } from "./address-shares.ts"
import { allowanceText, allowsPort } from "./allowance.ts"
import type { Allowance } from "./allowance.ts"
import { countOf, inRanges, portsFrom, rangesText } from "./port-range.ts"
import type { PortRange } from "./port-range.ts"
import type { PortStreams } from "./port-streams.ts"
import type { PortObserver, PortPlace, PortTraffic } from "./port-traffic.ts"
import type { PublicPort, PublicPortOptions } from "./public-port.ts"

export interface PortsOptions {
  readonly edgeId: string
  readonly host: string
  /** What the operator opens to agents; none: the edge has no such ports. */
  readonly ranges: Readonly<Record<PortKind, readonly PortRange[]>>
  readonly streams: Readonly<Record<PortKind, PortStreams>>
  /** Of connections, or flows, of one port. */
  readonly limits: ShareLimits
  readonly observer: PortObserver
  /** See PublicPortOptions. */
  readonly flowMs: number
  readonly clock: Clock
  /** How long a port outlives its last agent, in milliseconds. */
  readonly keepMs: number
  readonly make: Readonly<Record<PortKind, (options: PublicPortOptions) => PublicPort>>
  readonly log: Logger
}

export interface PortClaim {
  readonly tunnel: string
  readonly ports: readonly PortRequest[]
  readonly allowance: Allowance
}

export type PortGrant =
  | { readonly kind: "granted"; readonly ports: readonly OpenPort[] }
  /** `reason`: one sentence without full stop that names the port and says what to do. */
  | { readonly kind: "refused"; readonly reason: string }

/** Where the tickets of one port of a tunnel wait: agents that serve it take from there. */
export function queueOf(tunnel: string, { kind, name }: Pick<PortRequest, "kind" | "name">): string {
  return `${tunnel}/${kind}/${name}`
}

export class Ports {
  readonly #options: PortsOptions
  /** By queue. */
  readonly #open = new Map<string, Assigned>()
  /** Claims are granted one after the other: two must not choose the same port. */
  #claims: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(options: PortsOptions) {
    this.#options = options
  }

  /** Opens what an agent asks for, all of it or nothing new. */
  claim(claim: PortClaim): Promise<PortGrant> {
    const granted = this.#claims.then(() => this.#claim(claim))
    this.#claims = granted.catch(() => {})
    return granted
  }

  /**
   * What `claim` would say, without opening anything: only whether this edge's system lets it open a port is not known. Of `auto` the
   * port is the one that it would try first.
   */
  examine({ tunnel, ports, allowance }: PortClaim): PortGrant {
    const granted: OpenPort[] = []
    const fresh = new Set<string>()
    for (const wanted of ports) {
      const { kind, name } = wanted
      const before = this.#open.get(queueOf(tunnel, wanted))
      const open = before !== undefined && allowsPort(allowance, kind, before.number)
      const port = open ? before.number : this.#firstFree(tunnel, wanted, allowance, fresh)
      if (typeof port === "string") return { kind: "refused", reason: port }
      if (!open) fresh.add(`${kind} ${port}`)
      granted.push({ kind, name, port })
    }
    return { kind: "granted", ports: granted }
  }

  /** The last agent that served this queue is gone. */
  unserved(queue: string): void {
    const port = this.#open.get(queue)
    if (port === undefined || this.#stopped) return
    clearTimeout(port.timer)
    port.timer = setTimeout(() => this.#close(port), this.#options.keepMs).unref()
  }

  /** An agent serves it. */
  served(queue: string): void {
    const port = this.#open.get(queue)
    if (port === undefined) return
    clearTimeout(port.timer)
    port.timer = undefined
  }

  /** Those that are open. */
  *[Symbol.iterator](): Generator<PortPlace & { readonly traffic: PortTraffic }> {
    for (const { tunnel, kind, number, traffic } of this.#open.values())
      yield { tunnel, kind, port: number, traffic }
  }

  stop(): void {
    this.#stopped = true
    for (const port of this.#open.values()) this.#close(port)
  }

  async #claim({ tunnel, ports, allowance }: PortClaim): Promise<PortGrant> {
    const opened: Assigned[] = []
    const kept: Assigned[] = []
    const granted: OpenPort[] = []
    for (const wanted of ports) {
      const before = this.#open.get(queueOf(tunnel, wanted))
      const found =
        before !== undefined && allowsPort(allowance, wanted.kind, before.number)
          ? before
          : await this.#assign(tunnel, wanted, allowance)
      if (typeof found === "string") {
        for (const port of opened) this.#close(port)
        return { kind: "refused", reason: found }
      }
      if (found !== before) opened.push(found)
      else if (found.timer !== undefined) kept.push(found)
      granted.push({ kind: wanted.kind, name: wanted.name, port: found.number })
    }
    // Until a session serves it, which clears the timer; one that had nearly run out would close what is granted here.
    for (const { queue } of [...opened, ...kept]) this.unserved(queue)
    return { kind: "granted", ports: granted }
  }

  /** A sentence instead of the port when there is none. */
  async #assign(tunnel: string, wanted: PortRequest, allowance: Allowance): Promise<Assigned | string> {
    const candidates = this.#candidates(tunnel, wanted, allowance)
    if (typeof candidates === "string") return candidates
    for (const candidate of candidates) {
      const assigned = await this.#listen(tunnel, wanted, candidate)
      if (typeof assigned !== "string" || wanted.port !== 0) return assigned
    }
    return this.#allTaken(wanted.kind)
  }

  /** As `#assign`, without opening it. `fresh`: those that are spoken for already. */
  #firstFree(
    tunnel: string,
    wanted: PortRequest,
    allowance: Allowance,
    fresh: ReadonlySet<string>,
  ): number | string {
    const { kind } = wanted
    const candidates = this.#candidates(tunnel, wanted, allowance)
    if (typeof candidates === "string") return candidates
    for (const candidate of candidates) {
      const obstacle = this.#obstacle(tunnel, kind, candidate, fresh.size)
      if (wanted.port !== 0) return obstacle ?? candidate
      if (obstacle === undefined && !fresh.has(`${kind} ${candidate}`)) return candidate
    }
    return this.#allTaken(kind)
  }

  /** What may be opened for it, best first; a sentence instead when that is nothing. */
  #candidates(tunnel: string, wanted: PortRequest, allowance: Allowance): Iterable<number> | string {
    const { kind, port } = wanted
    const ranges = this.#options.ranges[kind]
    if (this.#stopped) return `${kind} ${wanted.name}: this edge is about to stop`
    if (ranges.length === 0)
      return `this edge opens no ${kind} ports: start proxy-out with --${kind}-ports FIRST-LAST`
    if (port !== 0) {
      if (!inRanges(ranges, port))
        return `${kind} ${port}: this edge opens ${rangesText(ranges)}, ask for one of these or for auto`
      if (!allowsPort(allowance, kind, port)) return `${kind} ${port}: ${notAllowed(allowance, kind)}`
      return [port]
    }
    const start = hash(queueOf(tunnel, wanted)) % countOf(ranges)
    const allowed = (candidate: number): boolean => allowsPort(allowance, kind, candidate)
    return portsFrom(ranges, start).some(allowed)
      ? portsFrom(ranges, start).filter(allowed)
      : `${kind} auto: this edge opens ${rangesText(ranges)}, and ${notAllowed(allowance, kind)}`
  }

  #allTaken(kind: PortKind): string {
    return `${kind} auto: every port of ${rangesText(this.#options.ranges[kind])} is taken`
  }

  /** Why that port cannot be the tunnel's, which is about to get so many more. */
  #obstacle(tunnel: string, kind: PortKind, number: number, more: number): string | undefined {
    let count = more
    for (const other of this.#open.values()) {
      const own = other.tunnel === tunnel
      if (other.kind === kind && other.number === number)
        return `${kind} ${number}: ${own ? "this tunnel" : "another tunnel"} has it already, ask for another one`
      if (own) count++
    }
    return count >= maxPorts
      ? `${kind} ${number}: the tunnel has ${maxPorts} ports already; those of former agents are closed after --keep-ports`
      : undefined
  }

  async #listen(tunnel: string, wanted: PortRequest, number: number): Promise<Assigned | string> {
    const { edgeId, host, streams, limits, observer, flowMs, clock, make, log } = this.#options
    const { kind, name } = wanted
    const obstacle = this.#obstacle(tunnel, kind, number, 0)
    if (obstacle !== undefined) return obstacle
    const queue = queueOf(tunnel, wanted)
    const port = make[kind]({
      kind,
      tunnel,
      port: number,
      owner: edgeId,
      queue,
      name,
      clock,
      streams: streams[kind],
      limits,
      observer,
      flowMs,
    })
    const traffic = await port.open(host, number).catch(openProblem)
    if (typeof traffic === "string") return `${kind} ${number}: ${traffic}, ask for another one`
    const assigned: Assigned = { tunnel, kind, number, queue, port, traffic, timer: undefined }
    this.#open.set(queue, assigned)
    log.info({ tunnel, kind, port: number }, "port opened")
    return assigned
  }

  #close(assigned: Assigned): void {
    const { tunnel, kind, number, queue, port, traffic } = assigned
    clearTimeout(assigned.timer)
    port.close()
    this.#open.delete(queue)
    const { accepted, droppedDatagrams } = traffic
    const counts = kind === "udp" ? { accepted, droppedDatagrams } : { accepted }
    this.#options.log.info({ tunnel, kind, port: number, ...counts }, "port closed")
  }
}

function openProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown"
  return openProblems[code] ?? `the edge cannot open it (${code})`
}

const openProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program of the edge's machine has it",
  EACCES: "the edge has no right to open it (EACCES)",
}

function notAllowed(allowance: Allowance, kind: PortKind): string {
  return `the token allows ${allowanceText(allowance, kind)}: ask for one that it allows, or for another token (proxy-out token create --${kind})`
}

interface Assigned {
  readonly tunnel: string
  readonly kind: PortKind
  readonly number: number
  readonly queue: string
  readonly port: PublicPort
  readonly traffic: PortTraffic
  /** Runs while no agent serves it. */
  timer: NodeJS.Timeout | undefined
}

/** FNV-1a: the same tunnel gets the same port again after a restart of the edge, and at other edges, wherever it is free. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
  return value
}
