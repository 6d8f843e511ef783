// Where the commands of one page are run: a folder, free ports in place of the page's, and what the page takes for granted
// (an edge, a token, a private server, a forward proxy).
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { homedir } from "node:os"
import { join } from "node:path"
import { authority, serverCertificate, serverKey } from "../support/certificates.ts"
import { forwardProxy } from "../support/forward-proxy.ts"
import { type Folder, temporaryFolder } from "../support/folder.ts"
import { startAgent, startEdge, token } from "../support/pair.ts"
import { freePort } from "../support/redis.ts"
import { root } from "./pages.ts"

/** What is there before the first command of a page, because the page says so in words. */
export interface Scenery {
  /** A proxy-out at edge.example, which knows the token in `restante.token`. */
  readonly edge?: true
  /** A proxy-in that serves the tunnel `default` with the private server of port 3000; needs `edge`. */
  readonly agent?: true
  /** Ports at which a private server answers. */
  readonly servers?: readonly number[]
  /** The folder is a clone of the repository in which everything is installed and built. */
  readonly clone?: true
  /** edge.example has TLS, and a certificate for that in /etc/restante. */
  readonly tls?: true
  /** A forward proxy at proxy.corp.example:3128. */
  readonly forwardProxy?: true
}

/** Where this run's programs keep what Node has compiled. */
const compiled = process.env["NODE_COMPILE_CACHE"]

/** Ports that the documentation uses. Each page run gets free ones instead. */
const portsInDocs = [80, 443, 3000, 4000, 8080, 8081, 9090, 3128, 20_022, 20_417, 20_053] as const

export class Stage implements AsyncDisposable {
  /** Where the commands are run; the page's `~`. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly #ports: ReadonlyMap<number, number>
  readonly #tls: boolean
  readonly #owned: AsyncDisposableStack

  private constructor(
    folder: string,
    scenery: Scenery,
    ports: ReadonlyMap<number, number>,
    owned: AsyncDisposableStack,
  ) {
    this.#tls = scenery.tls ?? false
    this.folder = folder
    this.#ports = ports
    this.#owned = owned
    this.environment = {
      PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      // curl reads its .curlrc there.
      CURL_HOME: folder,
      // npm installs "globally" in there, and fetches only what it does not have.
      npm_config_prefix: join(folder, "npm"),
      npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm"),
      npm_config_prefer_offline: "true",
      ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
      NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
      PROXY_OUT_HOST: "127.0.0.1",
      PROXY_OUT_PORT: String(ports.get(80)),
      PROXY_IN_PORT: String(ports.get(8081)),
    }
  }

  static async build(scenery: Scenery): Promise<Stage> {
    await using stack = new AsyncDisposableStack()
    const { path }: Folder = stack.use(await temporaryFolder())
    const ports = new Map<number, number>()
    for (const port of portsInDocs) ports.set(port, await freePort())
    if (scenery.forwardProxy) {
      const { port } = stack.use(await forwardProxy())
      ports.set(3128, port)
    }
    await mkdir(join(path, "etc/restante"), { recursive: true })
    await writeFile(join(path, "etc/restante/token"), token, { mode: 0o600 })
    await writeFile(join(path, "ca.pem"), authority)
    await writeFile(join(path, "etc/restante/edge.pem"), serverCertificate)
    await writeFile(join(path, "etc/restante/edge.key"), serverKey, { mode: 0o600 })
    await writeFile(join(path, "restante.token"), token, { mode: 0o600 })
    // A client of the page finds every name at the edge, with the Host that the page says.
    const ways = [...ports].map(
      ([documented, real]) => `connect-to = "127.0.0.1:${documented}:127.0.0.1:${real}"`,
    )
    await writeFile(
      join(path, ".curlrc"),
      [
        "silent",
        "show-error",
        "fail",
        "max-time = 30",
        ...ways,
        `connect-to = ":80:127.0.0.1:${ports.get(80)}"`,
        `connect-to = ":443:127.0.0.1:${ports.get(443)}"`,
        `cacert = "${join(path, "ca.pem")}"`,
      ].join("\n"),
    )
    await chmod(join(path, ".curlrc"), 0o600)
    if (scenery.clone) await cloneInto(path)
    for (const port of scenery.servers ?? []) stack.use(await privateServer(port, ports.get(port) ?? 0))
    if (scenery.edge)
      stack.use(await startEdge({ port: ports.get(80) ?? 0, dataDir: join(path, ".local/state/restante") }))
    if (scenery.agent) {
      const external = `http://127.0.0.1:${ports.get(80)}`
      const agent = stack.use(await startAgent({ server: `http://127.0.0.1:${ports.get(3000)}`, external }))
      await agent.attached()
    }
    return new Stage(path, scenery, ports, stack.move())
  }

  /** The command or file as it is written in the page, made to fit this stage. These are all the liberties that are taken. */
  fit(text: string): string {
    return text
      .split("\n")
      .map((line) => this.#fitLine(line))
      .join("\n")
  }

  #fitLine(line: string): string {
    // What curl connects to is in .curlrc; nothing here has a certificate of edge.example.
    if (/(^|\s)curl\s/.test(line))
      return this.#tls
        ? line.replaceAll("https://edge.example", "https://localhost")
        : line.replaceAll("https://", "http://")
    const edge = this.#tls ? `https://127.0.0.1:${this.port(443)}` : `http://127.0.0.1:${this.port(80)}`
    return line
      .replace(/\bsudo /g, "")
      .replace(/https?:\/\/edge\.example(?![\w.:-])/g, edge)
      .replaceAll("proxy.corp.example:3128", `127.0.0.1:3128`)
      .replace(/(?<![\w.-])\/(etc|var\/lib)\/restante/g, `${this.folder}/$1/restante`)
      .replace("--tcp-ports 20000-20999", this.#tcpPorts)
      .replace("--udp-ports 20000-20999", `--udp-ports ${this.port(20_053)}`)
      .replaceAll("20053=", `${this.port(20_053)}=`)
      .replaceAll("20022=", `${this.port(20_022)}=`)
      .replace(/(--(?:port|admin-port|redirect-port)[ =])(\d+)\b/g, (whole, option: string, port: string) => {
        const real = this.#ports.get(Number(port))
        return real === undefined ? whole : `${option}${real}`
      })
      .replace(/(127\.0\.0\.1:|listen\()(\d+)\b/g, (whole, before: string, port: string) => {
        const real = this.#ports.get(Number(port))
        return real === undefined ? whole : `${before}${real}`
      })
  }

  /** In place of a range: some port of the range may be taken. */
  get #tcpPorts(): string {
    return `--tcp-ports ${this.port(20_022)} --tcp-ports ${this.port(20_417)}`
  }

  /** What was printed, with the page's ports and folders again. */
  asWritten(output: string): string {
    let text = output.replaceAll(this.folder, "")
    for (const [documented, real] of this.#ports)
      text = text.replaceAll(`:${real}`, documented === 80 || documented === 443 ? "" : `:${documented}`)
    return text.replace(/(tcp|udp):\/\/127\.0\.0\.1/g, "$1://edge.example").replaceAll(token, "TOKEN")
  }

  /** The free port that stands for this one of the page. */
  port(documented: number): number {
    const real = this.#ports.get(documented)
    if (real === undefined) throw new Error(`port ${documented} is not one of those that the pages use`)
    return real
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}

/** What counts of one, without copying anything. */
async function cloneInto(folder: string): Promise<void> {
  for (const name of ["package.json", "pnpm-workspace.yaml", "node_modules", "packages"])
    await symlink(join(root, name), join(folder, name))
}

/** Says which of them it is, and what it was asked. */
async function privateServer(documented: number, port: number): Promise<AsyncDisposable> {
  const server = createServer((incoming, response) => {
    incoming
      .resume()
      .on("end", () => response.end(`port ${documented}: ${incoming.method} ${incoming.url}\n`))
  })
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
