// The HAProxy of Compose and Kubernetes with its very configuration, before edges on loopback.
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { fetchWhole } from "./client.ts"
import { NameServer } from "./name-server.ts"
import { freePort } from "./redis.ts"
import { until } from "./until.ts"

export class Balancer implements AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly names: NameServer
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(child: ChildProcess, port: number, names: NameServer) {
    this.#child = child
    this.#ended = once(child, "exit")
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.names = names
  }

  /** Resolves once it finds an edge. `edgePort` is the same at all addresses. */
  static async start(addresses: readonly string[], edgePort: number): Promise<Balancer> {
    const names = await NameServer.listen(addresses)
    const port = await freePort()
    const child = spawn("haproxy", ["-db", "-f", configuration], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        RESTANTE_DNS: `127.0.0.1:${names.port}`,
        RESTANTE_LISTEN: `127.0.0.1:${port}`,
        RESTANTE_EDGES: `edges.test:${edgePort}`,
      },
    })
    let said = ""
    for (const output of [child.stdout, child.stderr])
      output.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)))
    child.once("error", (error) => (said += error.message))
    const balancer = new Balancer(child, port, names)
    try {
      await until(
        () => `the balancer to find an edge: ${said}`,
        () => balancer.#findsEdge(),
      )
      return balancer
    } catch (error) {
      await balancer[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill("SIGKILL"))
      await this.#ended
    await this.names[Symbol.asyncDispose]()
  }

  async #findsEdge(): Promise<boolean> {
    try {
      return (await fetchWhole(`${this.url}/.restante/healthz`)).status === 200
    } catch {
      return false
    }
  }
}

const configuration = fileURLToPath(new URL("../../ops/haproxy/haproxy.cfg", import.meta.url))
