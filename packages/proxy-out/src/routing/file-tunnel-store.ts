// Known tunnels of an edge without Redis: a file in its data directory, written a moment after a change, and read again
// when a command has changed it.
import { rename } from "node:fs/promises"
import type { Logger } from "pino"
import { changeFile, fileStamp, readIfThere } from "../state/owned-file.ts"
import type { KnownTunnel } from "./route-table.ts"
import type { TunnelStore, TunnelStoreSink } from "./tunnel-store.ts"
import { parseTunnels, tunnelsText } from "./tunnels-file.ts"

export interface FileTunnelStoreOptions {
  readonly path: string
  readonly log: Logger
}

export class FileTunnelStore implements TunnelStore {
  readonly #path: string
  readonly #log: Logger
  #sink: TunnelStoreSink | undefined
  /** What is not in the file yet, by name. */
  #unsaved = new Map<string, KnownTunnel>()
  #stamp = ""
  #timer: NodeJS.Timeout | undefined
  /** Reading and writing, one after the other. */
  #work: Promise<void> = Promise.resolve()
  #failed = false
  #stopped = false

  constructor({ path, log }: FileTunnelStoreOptions) {
    this.#path = path
    this.#log = log
  }

  async start(sink: TunnelStoreSink): Promise<void> {
    this.#sink = sink
    await this.#then(() => this.#look(true))
    this.#later(lookMs)
  }

  save(tunnel: KnownTunnel): void {
    this.#unsaved.set(tunnel.name, tunnel)
    if (!this.#failed) this.#later(writeDelayMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#then(() => this.#write())
  }

  #later(delayMs: number): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      void this.#then(async () => {
        await this.#look(false)
        await this.#write()
      }).finally(() => this.#later(lookMs))
    }, delayMs).unref()
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).then(
      () => this.#told(undefined),
      (error: unknown) => this.#told(error),
    )
    return this.#work
  }

  /** Once an outage, not once a try. */
  #told(error: unknown): void {
    if (error === undefined) this.#failed = false
    else if (!this.#failed) {
      this.#failed = true
      this.#log.warn(
        { err: error, file: this.#path },
        "known tunnels cannot be kept: they last until a restart",
      )
    }
  }

  async #look(first: boolean): Promise<void> {
    const stamp = await fileStamp(this.#path)
    if (stamp === this.#stamp && !first) return
    const text = await readIfThere(this.#path)
    let tunnels: readonly KnownTunnel[]
    try {
      tunnels = text === undefined ? [] : parseTunnels(text)
    } catch (error) {
      await this.#putAside(error)
      tunnels = []
      // Only at the start nothing better is known than nothing.
      if (!first) for (const tunnel of this.#sink?.onStoreLost() ?? []) this.#unsaved.set(tunnel.name, tunnel)
    }
    this.#stamp = stamp
    this.#sink?.onTunnels([
      ...tunnels.filter(({ name }) => !this.#unsaved.has(name)),
      ...this.#unsaved.values(),
    ])
  }

  async #putAside(error: unknown): Promise<void> {
    const aside = `${this.#path}.broken`
    await rename(this.#path, aside)
    this.#log.error(
      {
        reason: error instanceof SyntaxError ? "not JSON" : "not what proxy-out writes",
        file: this.#path,
        kept: aside,
      },
      "the file of known tunnels is broken: it is put aside, and what it held is not known any more",
    )
  }

  async #write(): Promise<void> {
    if (this.#unsaved.size === 0) return
    const unsaved = this.#unsaved
    this.#unsaved = new Map()
    try {
      await changeFile(this.#path, (text) => {
        const all = new Map<string, KnownTunnel>()
        for (const tunnel of text === undefined ? [] : parseTunnels(text)) all.set(tunnel.name, tunnel)
        for (const tunnel of unsaved.values()) all.set(tunnel.name, tunnel)
        return tunnelsText(all.values())
      })
      // It is read back with the next look: a command may have changed it just before.
    } catch (error) {
      this.#unsaved = new Map([...unsaved, ...this.#unsaved])
      throw error
    }
  }
}

const writeDelayMs = 100
const lookMs = 1000
