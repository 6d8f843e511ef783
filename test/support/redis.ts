// A real redis-server for tests: on a free loopback port, in a directory of its own, remembering nothing. It can be
// stopped, killed and started again on the same port.
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { access, constants, mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect, createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

export interface RedisServerOptions {
  /** More command line arguments, for example ["--maxmemory-policy", "allkeys-lru"]. */
  readonly args?: readonly string[]
  /** Loopback port; default: one that is free. */
  readonly port?: number
}

/** Starts a server and resolves when it answers. Throws an Error that says what to do when there is no redis-server. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = await findRedisServer()
  const port = options.port ?? (await freePort())
  const directory = await mkdtemp(join(tmpdir(), "restante-redis-"))
  const server = new RedisServer(binary, port, directory, options.args ?? [])
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #binary: string
  readonly #directory: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  constructor(binary: string, port: number, directory: string, args: readonly string[]) {
    this.#binary = binary
    this.port = port
    this.#directory = directory
    this.#args = args
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it (again), empty, on the same port. */
  async start(): Promise<void> {
    // A sentinel wants a file that it can write its state into.
    const config = join(this.#directory, "redis.conf")
    await writeFile(config, "")
    const fixed = [config, "--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.#directory]
    const forgetful = ["--save", "", "--appendonly", "no"]
    const child = spawn(this.#binary, [...fixed, ...forgetful, ...this.#args], {
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.#child = child
    let output = ""
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-2000)
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject)
      child.once("exit", (code) => reject(new Error(`redis-server ended with code ${code}: ${output}`)))
    })
    // Ends that are wanted come later and have nobody who waits for them.
    failed.catch(() => undefined)
    await Promise.race([this.#answers(), failed])
  }

  /** As an administrator would: the server closes its connections and ends. */
  async shutdown(): Promise<void> {
    await this.#end("SIGTERM")
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** Connections stay open and nothing answers any more, until `resume`. */
  pause(): void {
    this.#child?.kill("SIGSTOP")
  }

  resume(): void {
    this.#child?.kill("SIGCONT")
  }

  /** Ends it for good and removes its directory. Twice is fine. */
  async stop(): Promise<void> {
    await this.#end("SIGKILL")
    await rm(this.#directory, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, "exit")
    child.kill(signal)
    await exited
  }

  async #answers(): Promise<void> {
    const giveUpAt = performance.now() + startLimitMs
    while (performance.now() < giveUpAt) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      if (await ping(this.port)) return
    }
    throw new Error(`redis-server does not answer on port ${this.port}`)
  }
}

/** Path of the binary that tests use: RESTANTE_REDIS_SERVER, or the first redis-server or valkey-server on PATH. */
export async function findRedisServer(): Promise<string> {
  const named = process.env["RESTANTE_REDIS_SERVER"]
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((directory) => ["redis-server", "valkey-server"].map((name) => join(directory, name)))
  const candidates = named === undefined ? onPath : [named]
  const found = await Promise.all(candidates.map(isExecutable))
  const binary = candidates[found.indexOf(true)]
  if (binary !== undefined) return binary
  throw new Error(
    named === undefined
      ? "these tests need a redis-server: install one, or put its path into RESTANTE_REDIS_SERVER"
      : `RESTANTE_REDIS_SERVER names ${named}, which cannot be run`,
  )
}

/** A loopback port that nobody used a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a listening TCP server always has
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const retry = setTimeout(() => socket.destroy(), 200)
    let answered = false
    socket.once("connect", () => socket.write("PING\r\n"))
    socket.once("data", () => {
      answered = true
      socket.destroy()
    })
    // A refused connection is tried again a little later.
    socket.once("error", () => undefined)
    socket.once("close", () => {
      clearTimeout(retry)
      if (answered) resolve(true)
      else setTimeout(() => resolve(false), 20)
    })
  })
}

const startLimitMs = 10_000
