// The port of proxy-in's status page: the one that was asked for, the usual one, and those that are taken.
import { createServer } from "node:net"
import { describe, expect, onTestFinished, test } from "vitest"
import { ends, environment, proxyIn } from "./stand-ins.ts"

describe("the status page", () => {
  test("is served on the given port while the agent runs, and its address is printed", async () => {
    const run = await proxyIn([...ends, "--tunnel", "shop", "--port", "0"], {
      environment,
      whileRunning: tunnelIsShop,
    })
    expect(run).toMatchObject({ exitCode: 0, stderr: "", stops: 1 })
  })

  test("on a port that is taken is one line with the remedy, and no agent is left running", async () => {
    const port = await takenPort(0)
    const run = await proxyIn([...ends, "--port", String(port)], { environment })
    expect(run).toMatchObject({ exitCode: 1, stdout: "", stops: 1 })
    expect(run.stderr).toBe(
      `proxy-in: Cannot listen on 127.0.0.1:${port}: another program listens there. Stop it, or choose another port with --port.\n`,
    )
  })

  test("that nobody asked for is left out when its usual port is taken", async () => {
    // Whoever else has the port serves the test as well.
    await takenPort(8081).catch(() => {})
    const run = await proxyIn(ends, { environment })
    expect(run).toMatchObject({ exitCode: 0, stderr: "" })
    expect(run.stdout).not.toContain("Status on")
    expect(run.logged).toContain("no status page")
  })
})

async function tunnelIsShop(stdout: string): Promise<void> {
  const url = /^Status on (http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(stdout)?.[1] ?? "(not printed)"
  expect(await (await fetch(new URL("status.json", url))).json()).toMatchObject({ tunnel: "shop" })
}

async function takenPort(port: number): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : port
}
