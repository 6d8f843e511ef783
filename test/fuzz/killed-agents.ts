// Agents as own processes, one after the other, each killed with SIGKILL in the middle of whatever it does.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { nearToken } from "../support/near-pair.ts"
import type { Transport } from "../support/pair.ts"
import type { FuzzUpstream } from "./upstream.ts"

export interface KilledAgentsOptions {
  readonly edgePort: number
  readonly upstreamPort: number
  readonly upstream: FuzzUpstream
  readonly transport: Transport
  /** Requests that an agent brings to the upstream before it is killed, one number after the other, and again from the first. */
  readonly lives: readonly number[]
}

export class KilledAgents implements AsyncDisposable {
  readonly #options: KilledAgentsOptions
  readonly #ended: Promise<void>
  #child: ChildProcess | undefined
  #stopped = false
  kills = 0

  /** The first one begins at once. */
  constructor(options: KilledAgentsOptions) {
    this.#options = options
    this.#ended = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#child?.kill("SIGKILL")
    await this.#ended
  }

  async #run(): Promise<void> {
    const { lives, upstream } = this.#options
    while (!this.#stopped) {
      let left = lives[this.kills % lives.length] ?? 1
      const child = this.#start()
      this.#child = child
      upstream.onHead = () => {
        if (--left === 0) child.kill("SIGKILL")
      }
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      await once(child, "exit")
      this.kills++
    }
  }

  #start(): ChildProcess {
    const { edgePort, upstreamPort, transport } = this.#options
    const program = fileURLToPath(new URL("../../packages/proxy-in/bin/proxy-in.js", import.meta.url))
    const [server, external] = [upstreamPort, edgePort].map((port) => `http://127.0.0.1:${port}`)
    const args = ["--server", server!, "--external", external!, "--port", "0", "--transport", transport]
    return spawn(process.env["RESTANTE_NODE"] ?? process.execPath, [program, ...args], {
      stdio: "ignore",
      env: {
        PATH: process.env["PATH"],
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        RESTANTE_TOKEN: nearToken,
      },
    })
  }
}
