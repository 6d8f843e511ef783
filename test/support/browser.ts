// A real browser without a window, driven over its DevTools protocol. scripts/test.mjs makes sure that there is one and says where.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { WebSocket } from "ws"
import { temporaryFolder } from "./folder.ts"
import { until } from "./until.ts"

export interface Tab extends AsyncDisposable {
  /** URLs of the WebSockets that its page has opened. */
  readonly webSockets: readonly string[]
  /** Text messages that its page has got over them. */
  readonly webSocketMessages: readonly string[]
  open(url: string): Promise<void>
  /** The value of this JavaScript expression in the page; undefined when it throws. */
  evaluate(expression: string): Promise<unknown>
}

const program = process.env["RESTANTE_CHROMIUM"] ?? "chromium"
const switches = [
  ...[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
  ],
  ...[
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
  ],
]

/** `trusting`: any certificate will do, the tests' own authority's among them. */
export async function startTab({ trusting = false } = {}): Promise<Tab> {
  await using stack = new AsyncDisposableStack()
  const profile = stack.use(await temporaryFolder())
  const trust = trusting ? ["--ignore-certificate-errors"] : []
  const browser = spawn(program, [...switches, ...trust, `--user-data-dir=${profile.path}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  const ended = once(browser, "exit")
  ended.catch(() => undefined)
  stack.defer(async () => {
    browser.kill("SIGKILL")
    await ended.catch(() => undefined)
  })
  let address: string | undefined
  createInterface(browser.stderr).on(
    "line",
    (line) => (address ??= /^DevTools listening on (\S+)$/.exec(line)?.[1]),
  )
  const devTools = new DevTools(await until(`${program} to start`, () => address, 60_000))
  stack.defer(() => devTools.close())
  await devTools.attach()
  const owned = stack.move()
  return {
    webSockets: devTools.webSockets,
    webSocketMessages: devTools.webSocketMessages,
    open: async (url) => void (await devTools.call("Page.navigate", { url })),
    evaluate: (expression) => devTools.evaluate(expression),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly url?: string; readonly response?: { readonly payloadData: string } }
  readonly result?: Record<string, unknown>
}

class DevTools {
  readonly webSockets: string[] = []
  readonly webSocketMessages: string[] = []
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (result: Record<string, unknown>) => void>()
  #sessionId: unknown
  #calls = 0

  constructor(address: string) {
    this.#socket = new WebSocket(address)
    this.#socket.on("message", (bytes: Buffer) => this.#take(JSON.parse(bytes.toString()) as Reply))
  }

  /** To a new tab. */
  async attach(): Promise<void> {
    await once(this.#socket, "open")
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" })
    this.#sessionId = (await this.call("Target.attachToTarget", { targetId, flatten: true }))["sessionId"]
    await this.call("Network.enable", {})
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.call("Runtime.evaluate", { expression, returnByValue: true })
    return (result as { readonly value?: unknown }).value
  }

  call(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#calls
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#sessionId }))
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  close(): void {
    this.#socket.terminate()
  }

  #take({ id, method, params, result = {} }: Reply): void {
    if (id !== undefined) this.#waiting.get(id)?.(result)
    if (method === "Network.webSocketCreated") this.webSockets.push(params?.url ?? "")
    if (method === "Network.webSocketFrameReceived")
      this.webSocketMessages.push(params?.response?.payloadData ?? "")
  }
}
