// What a person sees: the built programs on a real terminal, which script(1) of util-linux makes.
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { Emulator } from "../packages/proxy-in/test/terminal/emulator.ts"
import { fetchWhole } from "./support/client.ts"
import { startEdge, token } from "./support/pair.ts"
import { until } from "./support/until.ts"
import { closedPort, httpUpstream } from "./support/upstream.ts"

const columns = 100

test("proxy-in shows one status block, and requests scroll by above it, until Ctrl-C", async () => {
  await using upstream = await httpUpstream((_request, response) => response.end("hello"))
  await using edge = await startEdge()
  const seen = new OnTerminal(["--server", upstream.url, "--external", edge.url, "--port", "0"])
  await until("it to be attached", () => /Link +● attached for .* round trip/.test(seen.screen.text))
  await fetchWhole(`${edge.url}/orders/17?token=s3cret`)
  await until("the request's line", () => seen.screen.text.includes("/orders/17?…"))
  await until("the count", () => seen.screen.text.includes("1 total · 0 active · 0 failed"))
  expect(seen.screen.text).toMatch(
    /\d\d:\d\d:\d\d GET {5}\/orders\/17\?… +200 +[\d.]+ ms +5 B\n(.*\n)*─+\nRestante /,
  )
  expect(seen.screen.text).not.toContain("s3cret")
  expect(seen.screen.text).not.toContain(token)
  expect(seen.screen.text.match(/^Restante /gm)).toHaveLength(1)
  seen.press("\u0003")
  expect(await seen.ended).toBe(0)
  expect(seen.screen.text).toMatch(/stopped {2}tunnel=default served=1 failed=0/)
  expect(seen.screen.text).toContain("Link      ● stopped")
})

test("a private server that is down is told with what to do, once", async () => {
  await using edge = await startEdge()
  const server = `http://127.0.0.1:${await closedPort()}`
  const seen = new OnTerminal(["--server", server, "--external", edge.url, "--port", "0"])
  await until("it to be attached", () => seen.screen.text.includes("● attached"))
  await Promise.all(Array.from({ length: 3 }, () => fetchWhole(`${edge.url}/`)))
  await until("the error", () => seen.screen.text.includes("upstream_refused ECONNREFUSED ×3"))
  expect(seen.screen.text).toContain(`Nothing listens at ${server}: start the server or change --server.`)
  expect(seen.screen.text.match(/upstream down/g)).toHaveLength(1)
})

test("with --log-format json a terminal gets what a pipe gets", async () => {
  await using edge = await startEdge()
  const args = [
    "--server",
    "http://127.0.0.1:9",
    "--external",
    edge.url,
    "--port",
    "0",
    "--log-format",
    "json",
  ]
  const seen = new OnTerminal(args)
  await until("it to be attached", () => seen.screen.text.includes('"msg":"attached"'))
  expect(seen.screen.text).toContain(`${edge.url} -> http://127.0.0.1:9 (tunnel default)`)
  expect(seen.screen.text).not.toContain("Restante")
})

test("a dumb terminal gets readable lines and no orders", async () => {
  await using edge = await startEdge()
  const seen = new OnTerminal(
    ["--server", "http://127.0.0.1:9", "--external", edge.url, "--port", "0"],
    "dumb",
  )
  await until("it to be attached", () => /info {2}attached {2}tunnel=default/.test(seen.screen.text))
  expect(seen.screen.writes.join("")).not.toContain("\u001B")
})

test("it stops when its terminal is closed", async () => {
  await using edge = await startEdge()
  const seen = new OnTerminal(["--server", "http://127.0.0.1:9", "--external", edge.url, "--port", "0"])
  await until("it to be attached", () => seen.screen.text.includes("● attached"))
  const page = /^Status +(http:\S+)$/m.exec(seen.screen.text)?.[1] ?? ""
  const answers = (): Promise<boolean> =>
    fetchWhole(page).then(
      () => true,
      () => false,
    )
  expect(await answers()).toBe(true)
  seen.hangUp()
  await until("its status page to be gone", async () => !(await answers()))
})

/** proxy-in with a terminal of its own. */
class OnTerminal {
  readonly screen = new Emulator(columns, 30)
  /** The exit code. */
  readonly ended: Promise<number | null>
  readonly #process: ChildProcess

  constructor(args: readonly string[], kind = "xterm") {
    const program = fileURLToPath(new URL("../packages/proxy-in/bin/proxy-in.js", import.meta.url))
    const words = [process.execPath, program, ...args].map((word) => `'${word}'`).join(" ")
    this.#process = spawn(
      "script",
      ["-qefc", `stty cols ${columns} rows 30 -echo; exec ${words}`, "/dev/null"],
      {
        stdio: ["pipe", "pipe", "inherit"],
        env: { PATH: process.env["PATH"], TERM: kind, SHELL: "/bin/sh", RESTANTE_TOKEN: token },
      },
    )
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => this.screen.write(text))
    this.ended = once(this.#process, "exit").then(([code]) => code as number | null)
    onTestFinished(async () => {
      this.press("\u0003")
      const timer = setTimeout(() => this.#process.kill("SIGTERM"), 5000)
      await this.ended
      clearTimeout(timer)
    })
  }

  /** Closes the terminal. */
  hangUp(): void {
    this.#process.kill("SIGKILL")
  }

  press(keys: string): void {
    if (this.#process.exitCode === null && !this.#process.killed) this.#process.stdin?.write(keys)
  }
}
