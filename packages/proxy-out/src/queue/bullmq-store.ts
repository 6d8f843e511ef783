// BullMQ itself: the few operations of one tunnel's queue that the broker needs, over connections that all tunnels share.
// BullMQ's own Worker would hold a blocking connection and a loop per queue; its backend (the documented half that runs
// BullMQ's scripts) needs neither, and what it writes is an ordinary BullMQ queue for every other tool.
import { QueueKeys, RedisConnection, RedisQueueBackend, createIORedisClient } from "bullmq"
import type { JobJson, MinimalJob, QueueBaseOptions } from "bullmq"
import type { Clock } from "../clock.ts"
import type { RedisClient } from "./redis-target.ts"

export interface FetchedJob {
  readonly id: string
  /** The job's data as Redis has it; `textOf` reads it. */
  readonly data: string | undefined
}

export interface AddOptions {
  /** To the head of the queue instead of its end. */
  readonly first: boolean
  /** Redis forgets the job after this time, whatever happens to the edges. */
  readonly expiresInMs: number
}

/** The queues of all tunnels over one connection. */
export class BullmqStore {
  readonly #connection: RedisConnection
  readonly #client: RedisClient
  readonly #options: StoreOptions

  constructor(client: RedisClient, options: StoreOptions) {
    this.#client = client
    this.#options = options
    // It must neither wait for the server nor ask it anything: the broker decides when Redis is used.
    const extra = { shared: true, blocking: false, skipVersionCheck: true, skipWaitingForReady: true }
    this.#connection = new RedisConnection(client, extra)
    // The link reports them; without a listener they would end the process.
    this.#connection.on("error", () => undefined)
    createIORedisClient(client).defineCommand(sweepCommand, {
      numberOfKeys: sweptKeys.length,
      lua: sweepScript,
    })
  }

  /** `queueName` as `queueNameOf` made it. */
  queue(queueName: string): BullmqQueue {
    const keys = new QueueKeys(this.#options.prefix)
    const settings: QueueBaseOptions & WorkerSettings = {
      connection: this.#client,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    }
    const toKey = (type: string): string => keys.toKey(queueName, type)
    const backend = new RedisQueueBackend(
      this.#connection,
      queueName,
      keys.getKeys(queueName),
      toKey,
      settings,
      undefined,
      false,
    )
    return new BullmqQueue(backend, this.#client, this.#options)
  }
}

/**
 * All operations reject when Redis is unreachable or refuses; `JobLostError` says that the job is not ours any more.
 * Operations reach Redis in the order in which they are called.
 */
export class BullmqQueue {
  readonly #backend: RedisQueueBackend
  readonly #client: RedisClient
  readonly #options: StoreOptions

  constructor(backend: RedisQueueBackend, client: RedisClient, options: StoreOptions) {
    this.#backend = backend
    this.#client = client
    this.#options = options
  }

  /** What `work` calls reaches Redis with one write instead of one each. */
  together(work: () => void): void {
    const stream = "stream" in this.#client ? this.#client.stream : undefined
    stream?.cork()
    try {
      work()
    } finally {
      // BullMQ waits for its connection's promise before it writes; who waits for the same promise later comes behind.
      void this.#backend.client.finally(() => stream?.uncork())
    }
  }

  /** To be called once a connection: nobody reads BullMQ's event stream here, so it is kept at next to nothing. */
  async open(): Promise<void> {
    await this.#client.hset(this.#backend.toKey("meta"), "opts.maxLenEvents", 0)
  }

  /** Adding a job that is there already changes nothing. `data` as `dataOf` made it. */
  async add(jobId: string, data: string, options: AddOptions): Promise<void> {
    const job: JobJson = {
      id: jobId,
      name: jobName,
      data,
      opts: options.first ? { lifo: true } : {},
      timestamp: this.#options.clock.now(),
      progress: 0,
      attemptsMade: 0,
      attemptsStarted: 0,
      failedReason: "",
      returnvalue: "",
      stalledCounter: 0,
    }
    // On the wire before this returns, and so before whatever is sent next: a fetch, an announcement.
    const added = this.#backend.addJobToTransaction(createIORedisClient(this.#client), job, jobId)
    await Promise.all([added, this.#client.pexpire(this.#backend.toKey(jobId), options.expiresInMs)])
  }

  /** The first waiting job, locked for `lockMs`. */
  async fetch(): Promise<FetchedJob | undefined> {
    return fetched(await this.#backend.moveToActive(this.#options.token))
  }

  /** Removes a fetched job. With `fetchNext` the same round trip fetches the next one. */
  async finish(jobId: string, fetchNext: boolean): Promise<FetchedJob | undefined> {
    const { token } = this.#options
    const moved = this.#backend.moveToCompleted(minimalJob(jobId), 0, true, token, fetchNext)
    const { result } = await this.#own(moved)
    return fetched(result)
  }

  /** Puts a fetched job back at the head of the queue, with `text` instead of what it held when given. */
  async handBack(jobId: string, text?: string): Promise<void> {
    const { token } = this.#options
    // Both go out in this order without waiting, on one connection.
    const updated = text === undefined ? undefined : this.#backend.updateData(minimalJob(jobId), text)
    const moved = this.#backend.moveJobFromActiveToWait(jobId, token)
    await Promise.all([updated && this.#own(updated), this.#own(moved)])
  }

  /** Removes a job unless another edge holds it right now. Removing what is not there is fine. */
  async remove(jobId: string): Promise<void> {
    await this.#backend.remove(jobId, false)
  }

  /** Makes Redis forget these jobs whoever holds them; `sweep` takes their ids off the lists. */
  async discard(jobIds: readonly string[]): Promise<void> {
    if (jobIds.length > 0) await this.#client.del(jobIds.map((id) => this.#backend.toKey(id)))
  }

  /** Which of these jobs Redis does not know (any more). */
  async missing(jobIds: readonly string[]): Promise<string[]> {
    const states = await Promise.all(
      jobIds.map((id) => this.#client.hexists(this.#backend.toKey(id), "data")),
    )
    return jobIds.filter((_, index) => states[index] === 0)
  }

  /** Renews the locks of fetched jobs; returns those that are not ours any more. */
  async extendLocks(jobIds: string[]): Promise<string[]> {
    const tokens = jobIds.map(() => this.#options.token)
    return this.#backend.extendLocks(jobIds, tokens, lockMs)
  }

  /** Jobs whose edge died after fetching them go back to the head of the queue; returns how many did. */
  async recoverStalled(): Promise<number> {
    return (await this.#backend.moveStalledJobsToWait()).length
  }

  /** Forgets what expired, then the queue itself when nothing is left in it; returns whether it is gone. */
  async sweep(): Promise<boolean> {
    const keys = sweptKeys.map((key) => this.#backend.toKey(key))
    const reply: unknown = await createIORedisClient(this.#client).runCommand(sweepCommand, [
      ...keys,
      this.#backend.toKey(""),
      sweptJobs,
    ])
    return reply === 1
  }

  async #own<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation
    } catch (error) {
      if (error instanceof Error && "code" in error && typeof error.code === "number")
        throw new JobLostError()
      throw error
    }
  }
}

/** The lock expired, the job is gone, or another edge has it. */
export class JobLostError extends Error {
  constructor() {
    super("the job is not ours any more")
    this.name = "JobLostError"
  }
}

/** A tunnel's queue name: in braces, so that all its keys share a slot of a Redis Cluster; characters that keys treat specially are encoded. */
export function queueNameOf(tunnel: string): string {
  return `{${encodeURIComponent(tunnel)}}`
}

export interface StoreOptions {
  readonly prefix: string
  /** Unique to this run of this edge: it proves that a fetched job is ours. */
  readonly token: string
  readonly clock: Clock
}

/** What BullMQ's Worker would hand to the scripts. */
interface WorkerSettings {
  readonly lockDuration: number
  readonly stalledInterval: number
  readonly maxStalledCount: number
}

/** BullMQ's scripts read a job's id, data and number of attempts; its type asks for a whole Job. */
function minimalJob(id: string): MinimalJob {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above; the contract suite runs every script
  return { id, name: jobName, data: undefined, opts: { attempts: 1 } } as unknown as MinimalJob
}

/** [job, id, …] as BullMQ's scripts answer; the job is null or 0 when none waits. */
function fetched(reply: unknown): FetchedJob | undefined {
  if (!Array.isArray(reply)) return undefined
  const [job, id]: unknown[] = reply
  if (typeof job !== "object" || job === null || typeof id !== "string") return undefined
  return { id, data: "data" in job && typeof job.data === "string" ? job.data : undefined }
}

/** A job's data: JSON, as every BullMQ tool expects. */
export function dataOf(text: string): string {
  return JSON.stringify(text)
}

/** Undefined when the job holds something that `dataOf` did not make. */
export function textOf({ data = "" }: FetchedJob): string | undefined {
  try {
    const text: unknown = JSON.parse(data)
    return typeof text === "string" ? text : undefined
  } catch {
    return undefined
  }
}

/** How long a fetched job is safe from being given to another edge. Renewed while an edge keeps part of it. */
const lockMs = 3000
/** Edges look for stalled jobs at most this often per tunnel, all together. */
const stalledCheckMs = 900
const jobName = "tickets"
const sweptJobs = 1000
const sweptKeys = ["wait", "active", "stalled", "stalled-check", "marker", "meta", "id", "events"] as const
const sweepCommand = "restanteSweep"
/** Ids whose job has expired leave the lists; a queue without jobs leaves Redis. One slot, one step: nobody adds in between. */
const sweepScript = `
for index = 1, 2 do
  for _, id in ipairs(redis.call("LRANGE", KEYS[index], -ARGV[2], -1)) do
    local job = ARGV[1] .. id
    if redis.call("HEXISTS", job, "data") == 0 then
      redis.call("LREM", KEYS[index], -1, id)
      redis.call("DEL", job, job .. ":lock")
    end
  end
end
if redis.call("EXISTS", KEYS[1], KEYS[2]) > 0 then return 0 end
redis.call("DEL", unpack(KEYS))
return 1
`
