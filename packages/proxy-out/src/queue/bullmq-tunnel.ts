// One tunnel's queue as this edge sees it: tickets go into BullMQ in micro-batches and come out where somebody has room;
// while Redis is unreachable our own tickets are served and kept here.
import type { Clock } from "../clock.ts"
import type { Dispatch } from "../edge-options.ts"
import type { Consumer, Subscription, Ticket } from "./broker.ts"
import { BullmqFeeder } from "./bullmq-feeder.ts"
import { BullmqPump } from "./bullmq-pump.ts"
import { JobLostError, textOf } from "./bullmq-store.ts"
import type { BullmqQueue, FetchedJob } from "./bullmq-store.ts"
import { BullmqUpkeep } from "./bullmq-upkeep.ts"
import { Consumers } from "./consumers.ts"
import { HeldJobs } from "./held-jobs.ts"
import type { HeldJob } from "./held-jobs.ts"
import { OwnTickets } from "./own-tickets.ts"
import type { OwnJob } from "./own-tickets.ts"
import type { Log } from "./redis-link.ts"
import { decodeTickets, encodeTickets } from "./ticket-codec.ts"

export interface BullmqTunnelOptions {
  readonly name: string
  readonly edgeId: string
  readonly queue: BullmqQueue
  readonly dispatch: Dispatch
  readonly clock: Clock
  readonly log: Log
  /** Whether the connection is usable from the start. */
  readonly up: boolean
  /** Spreads the upkeep of many tunnels over time: any integer. */
  readonly phase: number
  /** A job id that no edge has used before. */
  readonly newJobId: () => string
  /** Other edges should look into this queue. */
  readonly announce: () => void
  /** The queue is about to be written to for the first time since the connection came up. */
  readonly onOpen: () => void
  /** Redis has accepted a job. */
  readonly onAccepted: () => void
  /** Redis is unreachable or refuses. */
  readonly onFailed: (error: unknown) => void
}

export class BullmqTunnel {
  readonly #options: BullmqTunnelOptions
  readonly #consumers = new Consumers()
  readonly #own = new OwnTickets()
  readonly #held = new HeldJobs(this.#own, (job) => this.#handedOut(job))
  readonly #pump: BullmqPump
  readonly #feeder: BullmqFeeder
  readonly #upkeep: BullmqUpkeep
  /** Jobs that Redis may or may not have and that hold nothing which waits there. */
  readonly #doubtful = new Set<string>()
  #mode: "local" | "recovering" | "queue" | "stopped"
  #dealing = false

  constructor(options: BullmqTunnelOptions) {
    this.#options = options
    this.#mode = options.up ? "queue" : "local"
    const failed = (error: unknown): void => this.#failed(error)
    this.#pump = new BullmqPump({
      queue: options.queue,
      wanted: () => this.#wanted(),
      accept: (job) => this.#accept(job),
      failed,
      doubt: (jobId) => this.#doubtful.add(jobId),
      announce: options.announce,
    })
    this.#feeder = new BullmqFeeder({
      ...options,
      own: this.#own,
      open: () => this.#mode === "queue",
      free: () => this.#consumers.room() - this.#own.inJobs - this.#held.foreign,
      adding: () => this.#pump.expect(),
      sent: () => this.#pump.poke(),
      emptied: (job) => this.#removeEmpty(job),
      failed,
    })
    this.#upkeep = new BullmqUpkeep({
      queue: options.queue,
      clock: options.clock,
      own: this.#own,
      held: this.#held,
      phase: options.phase,
      look: () => this.wake(),
      returned: () => {
        this.#pump.expect()
        this.#pump.poke()
      },
      recall: (job) => this.#recall(job),
      swept: () => {
        this.#feeder.used = false
      },
      failed,
    })
  }

  /** Tickets that wait and are known to this edge. */
  get depth(): number {
    return this.#own.waiting + this.#held.foreign
  }

  /** Nobody would notice if this object were forgotten. */
  get idle(): boolean {
    const kept = this.#own.waiting + this.#own.jobs.size + this.#held.size + this.#doubtful.size
    return kept === 0 && this.#consumers.size === 0 && this.#pump.idle && !this.#feeder.busy
  }

  offer(ticket: Ticket): void {
    if (this.#mode === "stopped") return
    const backlog = this.#own.waiting > 0 || this.#held.size > 0
    if (!backlog && this.#servedHere(ticket)) return
    this.#own.offer(ticket)
    this.#feed()
  }

  reoffer(ticket: Ticket): void {
    if (this.#mode === "stopped" || this.#servedHere(ticket)) return
    this.#own.reoffer(ticket)
    this.#feed()
  }

  withdraw(ticket: Ticket): void {
    const emptied = this.#own.withdraw(ticket.id)
    if (!emptied) this.#held.withdraw(ticket.id)
    else if (emptied.state === "queued") this.#removeEmpty(emptied)
    if (this.#held.size > 0 && !this.#dealing) this.#held.settle(this.#options.clock.now())
  }

  subscribe(consumer: Consumer): Subscription {
    this.#consumers.add(consumer)
    let open = true
    const ready = (): void => {
      if (!open) return
      this.#deal()
      this.#pump.poke()
    }
    const close = (): void => {
      if (!open) return
      open = false
      this.#consumers.delete(consumer)
      this.#deal()
    }
    this.#pump.hint()
    ready()
    return { ready, close }
  }

  /** Something may wait that this edge does not know of. */
  wake(): void {
    this.#pump.hint()
    this.#pump.poke()
  }

  /** The connection is usable: what waits here goes on through Redis. */
  async up(): Promise<void> {
    if (this.#mode !== "local") return
    this.#mode = "recovering"
    try {
      const doubtful = [...this.#doubtful]
      await Promise.all(doubtful.map((jobId) => this.#drop(jobId)))
      for (const jobId of doubtful) this.#doubtful.delete(jobId)
    } catch (error) {
      if (this.#mode !== "recovering") return
      this.#mode = "local"
      this.#options.onFailed(error)
    }
    if (this.#mode !== "recovering") return
    this.#mode = "queue"
    this.#feeder.flush()
    this.wake()
  }

  /** The connection is gone, or Redis refuses to work: what is ours is served from here until `up`. */
  down(): void {
    if (this.#mode === "local" || this.#mode === "stopped") return
    this.#mode = "local"
    this.#feeder.used = false
    for (const jobId of this.#pump.reset()) this.#doubtful.add(jobId)
    // Other edges' tickets return to the queue by themselves when our lock on them ends.
    this.#held.clear()
    for (const job of [...this.#own.jobs.values()].toReversed()) this.#recall(job)
    this.#deal()
  }

  /** Once a second while the connection is up. `second` counts from the broker's start. */
  tick(second: number): void {
    if (this.#mode === "local") void this.up()
    if (this.#mode !== "queue") return
    for (const jobId of this.#doubtful) this.#forget(jobId)
    this.#upkeep.tick(second, { consumed: this.#consumers.size > 0, used: this.#feeder.used })
  }

  /** Hands back what belongs to others and removes what is ours. */
  async stop(): Promise<void> {
    const mode = this.#mode
    this.#mode = "stopped"
    if (mode !== "queue") return
    await this.#pump.settled()
    const others = this.#held.clear().filter((job) => !job.own)
    const ours = [...this.#pump.reset(), ...this.#own.jobs.keys(), ...this.#doubtful]
    const handBacks = others.map((job) => this.#handBack(job))
    const removals = ours.map((jobId) => this.#drop(jobId))
    await Promise.allSettled([...handBacks, ...removals, this.#options.queue.discard(ours)])
  }

  #wanted(): "yes" | "no" | "closed" {
    if (this.#mode !== "queue") return "closed"
    return this.#held.size === 0 && this.#consumers.hasRoom() ? "yes" : "no"
  }

  #servedHere(ticket: Ticket): boolean {
    if (this.#mode === "queue" && this.#options.dispatch === "queue") return false
    return this.#consumers.lease(ticket) !== "no_room"
  }

  #deal(): void {
    // A lease may end an exchange at once and so call ready() or reoffer() from within: the loop sees their effect.
    if (this.#dealing || this.#mode === "stopped") return
    this.#dealing = true
    try {
      while (this.#consumers.hasRoom() && this.#dealOne());
    } finally {
      this.#dealing = false
    }
    if (this.#held.size === 0) return
    this.#held.settle(this.#options.clock.now())
    if (this.#consumers.size > 0 && this.#held.tickets <= maxKeptTickets) return
    for (const job of this.#held.clear()) void this.#handBack(job)
    this.#pump.poke()
  }

  #dealOne(): boolean {
    const taken = this.#held.take(this.#options.clock.now())
    if (taken) {
      if (this.#consumers.lease(taken.ticket) !== "no_room") return true
      this.#held.putBack(taken.ticket, taken.job)
      return false
    }
    if (this.#mode === "queue") return false
    const list = this.#own.urgent.size > 0 ? this.#own.urgent : this.#own.outgoing
    const ticket = list.shift()
    if (!ticket) return false
    if (this.#consumers.lease(ticket) !== "no_room") return true
    list.unshift(ticket)
    return false
  }

  #feed(): void {
    if (this.#mode === "queue") this.#feeder.want()
    else this.#deal()
  }

  #accept(job: FetchedJob): boolean {
    const own = this.#own.jobs.get(job.id)
    const tickets = this.#ticketsOf(job, own)
    if (!tickets) {
      this.#options.log.warn({ tunnel: this.#options.name, jobId: job.id }, "malformed job dropped")
      this.#pump.finish(job.id)
      return false
    }
    if (own) own.state = "held"
    const touched = own ? own.waiting < own.tickets.length : false
    this.#held.push({ id: job.id, own, tickets, next: 0, touched })
    this.#deal()
    return own !== undefined
  }

  #ticketsOf(job: FetchedJob, own: OwnJob | undefined): (Ticket | undefined)[] | undefined {
    if (own && job.data?.length === own.chars) return own.tickets
    const { name, edgeId } = this.#options
    const text = textOf(job)
    const decoded = text === undefined ? undefined : decodeTickets(name, text)
    if (own) {
      const left = new Set(decoded?.map((ticket) => ticket.id))
      return decoded ? own.tickets.filter((ticket) => ticket && left.has(ticket.id)) : own.tickets
    }
    // A ticket of ours in a job that we do not know is a copy: we have the ticket somewhere else, or it is served.
    return decoded?.map((ticket) => (ticket.owner === edgeId ? undefined : ticket))
  }

  #handedOut({ id, own }: HeldJob): void {
    if (own?.waiting === 0) this.#own.jobs.delete(own.id)
    else if (own) own.state = "queued"
    this.#pump.finish(id)
  }

  async #handBack(job: HeldJob): Promise<void> {
    const waiting = this.#held.waitingIn(job)
    const [first] = waiting
    if (!first) {
      this.#handedOut(job)
      return
    }
    if (job.own) {
      job.own.state = "queued"
      job.own.queuedAt = this.#options.clock.now()
      // No data has this length: from now on what Redis holds decides which tickets are in it.
      job.own.chars = -1
    }
    this.#pump.expect()
    try {
      await this.#options.queue.handBack(
        job.id,
        job.touched ? encodeTickets(first.owner, waiting) : undefined,
      )
    } catch (error) {
      if (!(error instanceof JobLostError)) this.#failed(error)
      else if (job.own && this.#own.jobs.has(job.id)) this.#recall(job.own)
    }
  }

  #removeEmpty(job: OwnJob): void {
    this.#own.jobs.delete(job.id)
    this.#options.queue.remove(job.id).catch(() => this.#doubtful.add(job.id))
  }

  /** The job is gone from Redis, or we cannot know: what waits in it waits here. */
  #recall(job: OwnJob): void {
    this.#own.recall(job)
    this.#doubtful.add(job.id)
    if (this.#mode !== "queue") return
    this.#forget(job.id)
    this.#feed()
  }

  #forget(jobId: string): void {
    this.#drop(jobId).then(
      () => this.#doubtful.delete(jobId),
      () => undefined,
    )
  }

  /** Removes a job whether it waits, or is held by us, or is not there at all. */
  async #drop(jobId: string): Promise<void> {
    try {
      await this.#options.queue.finish(jobId, false)
    } catch (error) {
      if (!(error instanceof JobLostError)) throw error
      await this.#options.queue.remove(jobId)
    }
  }

  #failed(error: unknown): void {
    if (this.#mode !== "queue") return
    this.#options.onFailed(error)
    this.down()
  }
}

/** More than this is not kept from other edges while nobody here has room. */
const maxKeptTickets = 16
