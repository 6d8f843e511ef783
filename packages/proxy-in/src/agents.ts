// Several tunnels in one process: an agent for each, with its own session and its own upstream. They start and stop
// together, and single ones can be added, removed or changed while the others go on.
import { Secret } from "@restante/protocol"
import type { AgentOptions } from "./agent-options.ts"
import type { AgentStatus, ProgramStatus } from "./status/status.ts"

/** What is needed of an `Agent`. */
export interface RunningAgent {
  start(): Promise<void>
  stop(): Promise<void>
  status(): AgentStatus
}

/** Tunnel names: what `apply` did. */
export interface AppliedTunnels {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

export class Agents implements AsyncDisposable {
  readonly #makeAgent: (options: AgentOptions) => RunningAgent
  /** In the order of the last configuration. */
  #entries: readonly Entry[]
  /** Those that were removed or changed, until they have finished what they had begun. */
  readonly #leaving = new Set<Promise<void>>()
  #stopped: Promise<void> | undefined

  /** `tunnels`: at least one; their names differ. */
  constructor(tunnels: readonly AgentOptions[], makeAgent: (options: AgentOptions) => RunningAgent) {
    checkNames(tunnels)
    this.#makeAgent = makeAgent
    this.#entries = tunnels.map((options) => this.#entryOf(options))
  }

  /** Every agent begins to attach; does not wait for it. */
  async start(): Promise<void> {
    await Promise.all(this.#entries.map(({ agent }) => agent.start()))
  }

  /** Takes nothing more, lets what runs finish, says goodbye. Twice is fine. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /**
   * Makes these the tunnels, at least one with names that differ: starts new ones, stops politely those that are gone, restarts
   * those that changed, and leaves the others alone. A changed one is replaced before the old one is stopped, so that no request waits
   * for it. Resolves once the new ones have been started; the old ones may still be finishing what they had begun.
   */
  async apply(tunnels: readonly AgentOptions[]): Promise<AppliedTunnels> {
    if (this.#stopped !== undefined) return { added: [], removed: [], changed: [] }
    checkNames(tunnels)
    const before = new Map(this.#entries.map((entry) => [entry.tunnel, entry]))
    const started: Entry[] = []
    const changed: string[] = []
    this.#entries = tunnels.map((options) => {
      const old = before.get(options.tunnel)
      if (old?.fingerprint === fingerprint(options)) {
        before.delete(options.tunnel)
        return old
      }
      if (old !== undefined) changed.push(options.tunnel)
      const entry = this.#entryOf(options)
      started.push(entry)
      return entry
    })
    await Promise.all(started.map(({ agent }) => agent.start()))
    for (const { agent } of before.values()) this.#leave(agent)
    const names = started.map(({ tunnel }) => tunnel)
    return {
      added: names.filter((name) => !changed.includes(name)),
      removed: [...before.keys()].filter((name) => !changed.includes(name)),
      changed,
    }
  }

  /** At the top what the first tunnel says, for a program that has just one. */
  status(): ProgramStatus {
    const tunnels = this.#entries.map(({ agent }) => agent.status())
    return { ...tunnels[0]!, tunnels }
  }

  #entryOf(options: AgentOptions): Entry {
    const { tunnel } = options
    return { tunnel, fingerprint: fingerprint(options), agent: this.#makeAgent(options) }
  }

  #leave(agent: RunningAgent): void {
    const left = agent.stop().finally(() => this.#leaving.delete(left))
    this.#leaving.add(left)
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#entries.map(({ agent }) => agent.stop()), ...this.#leaving])
  }
}

interface Entry {
  readonly tunnel: string
  readonly fingerprint: string
  readonly agent: RunningAgent
}

function checkNames(tunnels: readonly AgentOptions[]): void {
  const names = new Set(tunnels.map(({ tunnel }) => tunnel))
  if (names.size === 0 || names.size < tunnels.length)
    throw new RangeError("at least one tunnel, and each name once")
}

/** Everything that an agent runs with, as one text: an agent whose text differs has to be made anew. Holds secrets: never log it. */
function fingerprint({ log: _log, ...options }: AgentOptions): string {
  return JSON.stringify(options, function (this: Record<string, unknown>, key, value: unknown) {
    const own = this[key] // before toJSON, which hides a secret
    return own instanceof Secret ? own.reveal() : value
  })
}
