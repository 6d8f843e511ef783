// nginx and HAProxy as private servers: each hands what it understands as a request on to the witness, in its own words.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { type Folder, temporaryFolder } from "../../support/folder.ts"
import { freePort } from "../../support/redis.ts"
import { until } from "../../support/until.ts"

export const realServers = ["nginx", "haproxy"] as const
export type RealServerName = (typeof realServers)[number]

export class RealServer implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #folder: Folder

  private constructor(child: ChildProcess, port: number, folder: Folder) {
    this.#child = child
    this.#ended = once(child, "exit")
    this.port = port
    this.#folder = folder
  }

  /** Resolves once it listens. */
  static async start(name: RealServerName, witnessPort: number): Promise<RealServer> {
    const folder = await temporaryFolder()
    const port = await freePort()
    const file = join(folder.path, "server.conf")
    await mkdir(join(folder.path, "logs"))
    await writeFile(file, configurations[name]({ port, witnessPort, folder: folder.path }))
    const child = spawn(name, [...flags[name], file, ...(name === "nginx" ? ["-p", folder.path] : [])], {
      stdio: ["ignore", "ignore", "pipe"],
      // Debian keeps servers where only root looks for programs.
      env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
    })
    let said = ""
    child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)))
    child.once("error", (error) => (said += error.message))
    const server = new RealServer(child, port, folder)
    try {
      await until(
        () => `${name} to listen: ${said}`,
        () => listens(port),
      )
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill("SIGKILL"))
      await this.#ended
    await this.#folder[Symbol.asyncDispose]()
  }
}

const flags = { nginx: ["-c"], haproxy: ["-db", "-f"] } as const

interface Place {
  readonly port: number
  readonly witnessPort: number
  readonly folder: string
}

/** As forgiving as they can be: what they refuse proves nothing about us. */
const configurations: Readonly<Record<RealServerName, (place: Place) => string>> = {
  nginx: ({ port, witnessPort, folder }) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  large_client_header_buffers 8 128k;
  ignore_invalid_headers off;
  underscores_in_headers on;
  merge_slashes off;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${witnessPort};
      proxy_http_version 1.1;
    }
  }
}
`,
  haproxy: ({ port, witnessPort }) => `
global
  maxconn 1000
  tune.bufsize 131072
  tune.http.maxhdr 1000
defaults
  mode http
  option http-buffer-request
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend all
  bind 127.0.0.1:${port}
  default_backend witness
backend witness
  http-reuse never
  server witness 127.0.0.1:${witnessPort}
`,
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}
