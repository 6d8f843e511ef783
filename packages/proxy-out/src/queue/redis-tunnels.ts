// Known tunnels of edges that share a Redis: one hash, changed by a script so that a route has one holder, and told to the
// other edges at once. While Redis is away every edge goes on with what it knew last.
import type { KnownTunnel } from "../routing/route-table.ts"
import type { TunnelStore, TunnelStoreSink } from "../routing/tunnel-store.ts"
import { knownTunnelSchema } from "../routing/tunnels-file.ts"
import { describe, withinMs } from "./redis-link.ts"
import type { Log } from "./redis-link.ts"
import type { RedisClient } from "./redis-target.ts"
import type { WakeUps } from "./wake-ups.ts"

export interface RedisTunnelsOptions {
  readonly client: RedisClient
  readonly wakeUps: Pick<WakeUps, "watch" | "unwatch" | "announce">
  readonly prefix: string
  readonly log: Log
}

export class RedisTunnels implements TunnelStore {
  readonly #options: RedisTunnelsOptions
  #sink: TunnelStoreSink | undefined
  /** What Redis has not confirmed, by name. */
  readonly #unsaved = new Map<string, KnownTunnel>()
  /** Field values as they were read last: most are the same the next time, and need not be parsed again. */
  #read = new Map<string, StoredTunnel>()
  /** Tells a hash from another one that was begun after the first was lost. Undefined: none has been read, or written to. */
  #era: string | undefined
  #timer: NodeJS.Timeout | undefined
  #refreshing: Promise<void> | undefined
  #saving: Promise<void> | undefined
  #again = false
  #pauseMs = 0
  #complained = false
  #stopped = false

  constructor(options: RedisTunnelsOptions) {
    this.#options = options
  }

  async start(sink: TunnelStoreSink): Promise<void> {
    this.#sink = sink
    this.#options.wakeUps.watch(channel, () => this.refresh())
    this.refresh()
    await withinMs(this.#refreshing ?? Promise.resolve(), startLimitMs).catch(() => undefined)
  }

  save(tunnel: KnownTunnel): void {
    this.#unsaved.set(tunnel.name, tunnel)
    void this.#saveAll()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#options.wakeUps.unwatch(channel)
    await withinMs(this.#saveAll(), stopLimitMs).catch(() => undefined)
  }

  /** Redis is (again) there, or another edge has changed something. */
  refresh(): void {
    if (this.#stopped || this.#sink === undefined) return
    if (this.#refreshing !== undefined) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    this.#refreshing = this.#refresh()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#refreshing = undefined
        this.#later()
      })
  }

  #later(): void {
    if (this.#stopped) return
    const soon = this.#again
    this.#again = false
    // What takes long to read is read less often.
    this.#timer = setTimeout(() => this.refresh(), soon ? this.#pauseMs : refreshMs).unref()
  }

  async #refresh(): Promise<void> {
    const startedAt = performance.now()
    const fields = await this.#options.client.hgetall(hashOf(this.#options.prefix))
    const { era = "", ...rest } = fields
    const read = new Map<string, StoredTunnel>()
    for (const [field, text] of Object.entries(rest)) {
      if (!field.startsWith(tunnelField)) continue
      const before = this.#read.get(field)
      const tunnel = before?.text === text ? before.tunnel : parsed(text)
      if (tunnel !== undefined) read.set(field, { text, tunnel })
    }
    this.#read = read
    const lost = this.#era !== undefined && this.#era !== era
    if (lost) for (const tunnel of this.#sink?.onStoreLost() ?? []) this.#unsaved.set(tunnel.name, tunnel)
    this.#era = era === "" ? undefined : era
    const stored = [...read.values()].map(({ tunnel }) => tunnel)
    const unsaved = [...this.#unsaved.values()]
    this.#sink?.onTunnels([...stored.filter(({ name }) => !this.#unsaved.has(name)), ...unsaved])
    this.#pauseMs = Math.max(20, 10 * (performance.now() - startedAt))
    this.#complained = false
    await this.#saveAll()
  }

  /** One after the other, and only one such run at a time: a thousand tunnels that attach at once are a thousand commands. */
  #saveAll(): Promise<void> {
    if (this.#unsaved.size === 0) return Promise.resolve()
    this.#saving ??= this.#saveEach()
    return this.#saving
  }

  async #saveEach(): Promise<void> {
    try {
      for (let next = this.#firstUnsaved(); next !== undefined; next = this.#firstUnsaved()) {
        await this.#saveOne(next)
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#saving = undefined
    }
  }

  #firstUnsaved(): KnownTunnel | undefined {
    return this.#unsaved.values().next().value
  }

  async #saveOne(tunnel: KnownTunnel): Promise<void> {
    const { client, prefix, wakeUps } = this.#options
    const { name, routes } = tunnel
    const fresh = crypto.randomUUID()
    const answer: unknown = await client.eval(
      saveScript,
      1,
      hashOf(prefix),
      name,
      JSON.stringify(tunnel),
      fresh,
      ...routes,
    )
    // Something newer may have been said while this was on its way.
    if (this.#unsaved.get(name) === tunnel) this.#unsaved.delete(name)
    const [outcome, era] = Array.isArray(answer) ? answer : []
    if (typeof era === "string") this.#era ??= era
    if (outcome === "taken") this.#sink?.onTaken(name)
    else if (outcome === "stored") wakeUps.announce(channel)
  }

  /** A connection's troubles are the link's to report, and it says when Redis is back; refusals are told here, once. */
  #failed(error: unknown): void {
    if (!(error instanceof Error) || error.name !== "ReplyError" || this.#complained) return
    this.#complained = true
    this.#options.log.warn({ reason: describe(error) }, "redis refuses to keep known tunnels")
  }
}

interface StoredTunnel {
  readonly text: string
  readonly tunnel: KnownTunnel
}

/** What `proxy-out tunnel list` and `forget` do with the shared hash. */
export async function readRedisTunnels(client: RedisClient, prefix = "restante"): Promise<KnownTunnel[]> {
  const fields = await client.hgetall(hashOf(prefix))
  return Object.entries(fields).flatMap(([field, text]) => {
    const tunnel = field.startsWith(tunnelField) ? parsed(text) : undefined
    return tunnel === undefined ? [] : [tunnel]
  })
}

/** False when there is no such tunnel. The edges hear of it at once. */
export async function forgetRedisTunnel(
  client: RedisClient,
  name: string,
  prefix = "restante",
): Promise<boolean> {
  const removed = await client.eval(forgetScript, 1, hashOf(prefix), name)
  if (removed === 1) await client.publish(`${prefix}:wake:${channel}`, "command")
  return removed === 1
}

function parsed(text: string): KnownTunnel | undefined {
  try {
    const tunnel = knownTunnelSchema.safeParse(JSON.parse(text))
    return tunnel.success ? tunnel.data : undefined
  } catch {
    return undefined // of a later release, perhaps: not ours to judge
  }
}

function hashOf(prefix: string): string {
  return `${prefix}:tunnels`
}

/** Queues' names are in braces, so this one is none. */
const channel = "known-tunnels"
const tunnelField = "tunnel:"
const refreshMs = 30_000
const startLimitMs = 2000
const stopLimitMs = 500

/** KEYS: the hash. ARGV: name, record, the era to begin if there is none, routes. */
const saveScript = `
local function routes_of(text)
  local ok, record = pcall(cjson.decode, text)
  if not ok or type(record) ~= 'table' or type(record.routes) ~= 'table' then return {} end
  return record.routes
end
for index = 4, #ARGV do
  local holder = redis.call('HGET', KEYS[1], 'route:' .. ARGV[index])
  if holder and holder ~= ARGV[1] then return {'taken'} end
end
local field = 'tunnel:' .. ARGV[1]
local before = redis.call('HGET', KEYS[1], field)
if before == ARGV[2] then return {'same', redis.call('HGET', KEYS[1], 'era')} end
if before then
  for _, route in ipairs(routes_of(before)) do redis.call('HDEL', KEYS[1], 'route:' .. route) end
end
redis.call('HSETNX', KEYS[1], 'era', ARGV[3])
redis.call('HSET', KEYS[1], field, ARGV[2])
for index = 4, #ARGV do redis.call('HSET', KEYS[1], 'route:' .. ARGV[index], ARGV[1]) end
return {'stored', redis.call('HGET', KEYS[1], 'era')}
`

const forgetScript = `
local field = 'tunnel:' .. ARGV[1]
local before = redis.call('HGET', KEYS[1], field)
if not before then return 0 end
local ok, record = pcall(cjson.decode, before)
if ok and type(record) == 'table' and type(record.routes) == 'table' then
  for _, route in ipairs(record.routes) do redis.call('HDEL', KEYS[1], 'route:' .. route) end
end
redis.call('HDEL', KEYS[1], field)
return 1
`
