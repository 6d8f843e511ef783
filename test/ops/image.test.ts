// The image, built by hand from the Dockerfile (no container engine is needed) and run as the image would run.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { access, readFile, realpath } from "node:fs/promises"
import { createInterface } from "node:readline"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import dockerignore from "@balena/dockerignore"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { type BuiltImage, type BuiltStage, buildImage, bytesBelow } from "../support/image.ts"
import { token } from "../support/pair.ts"
import { freePort } from "../support/redis.ts"
import { until } from "../support/until.ts"

const mib = 1024 * 1024
let image: BuiltImage

// npx may have to fetch pnpm, and pnpm every package.
beforeAll(async () => {
  image = await buildImage()
}, 300_000)
afterAll(() => image[Symbol.asyncDispose]())

describe("the programs' image", () => {
  test("serves a request from client to private server and back, with its own commands alone", async () => {
    const edgePort = await freePort()
    const statusPort = await freePort()
    const stage = image.stage("restante")
    const server = image.stage("private-server")
    await using upstream = start(server, [...server.entrypoint, "0", "127.0.0.1"])
    const serverUrl = await upstream.line(/^(http:\/\/\S+)$/)
    await using edge = start(stage, [
      ...stage.entrypoint,
      ...["proxy-out", "--host=127.0.0.1", `--port=${edgePort}`],
      `--data-dir=${join(stage.root, "state")}`,
    ])
    await edge.line(/^Listening on /)
    await using agent = start(stage, [
      ...stage.entrypoint,
      ...["proxy-in", `--server=${serverUrl}`, `--external=http://127.0.0.1:${edgePort}`],
      `--port=${statusPort}`,
    ])
    await agent.line(/^Status on /)
    expect((await fetchWhole(`http://127.0.0.1:${edgePort}/api/status`)).text).toContain("uptimeMs")
  })

  test("says that an edge is healthy, an attached agent too, and an agent without an edge is not", async () => {
    const stage = image.stage("restante")
    const edgePort = await freePort()
    const statusPort = await freePort()
    const ports = { EDGE_PORT: String(edgePort), STATUS_PORT: String(statusPort) }
    expect(await health(stage, ports)).toMatchObject({
      code: 1,
      said: expect.stringContaining("Nothing answers"),
    })
    await using agent = start(stage, [
      ...stage.entrypoint,
      ...["proxy-in", "--server=http://127.0.0.1:1", `--external=http://127.0.0.1:${edgePort}`],
      `--port=${statusPort}`,
    ])
    await agent.line(/^Status on /)
    expect(await health(stage, ports)).toMatchObject({
      code: 1,
      said: expect.stringContaining("not attached"),
    })
    await using edge = start(stage, [
      ...stage.entrypoint,
      ...["proxy-out", "--host=127.0.0.1", `--port=${edgePort}`],
      `--data-dir=${join(stage.root, "state")}`,
    ])
    await edge.line(/^Listening on /)
    expect(await health(stage, ports)).toMatchObject({ code: 0 })
    // Looked at from a container that has only the agent.
    const agentOnly = { EDGE_PORT: String(await freePort()), STATUS_PORT: String(statusPort) }
    await until("the agent to attach", async () => (await health(stage, agentOnly)).code === 0)
  })

  test("starts an edge when nothing is asked of it", () => {
    const { entrypoint, command } = image.stage("restante")
    expect([...entrypoint, ...command]).toEqual([
      "env",
      "--",
      "proxy-out",
      "--port=8080",
      "--data-dir=/state",
    ])
  })

  test("runs as a numbered user that is not root", () => {
    expect(image.stage("restante").user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(image.stage("private-server").user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
  })

  test("stands on the Node that is supported longest, in its small form", () => {
    expect(image.stage("restante").base).toBe("node:24-bookworm-slim")
    expect(image.stage("build").base).toBe("node:24-bookworm-slim")
  })

  test("adds less than 30 MiB to its base", async () => {
    expect(await bytesBelow(image.stage("restante").root)).toBeLessThan(30 * mib)
  })

  test.each(["typescript", "vitest", "node", "verdaccio", "fast-check"])(
    "has no %s, which only building or testing needs",
    async (name) => {
      const { root } = image.stage("restante")
      const places = ["node_modules", "node_modules/.pnpm/node_modules", "packages/proxy-out/node_modules"]
      for (const place of places)
        await expect(access(join(root, "restante", place, name))).rejects.toThrow("ENOENT")
    },
  )

  test("keeps the licences of what it contains", async () => {
    const express = await realpath(
      join(image.stage("restante").root, "restante/packages/proxy-out/node_modules/express"),
    )
    expect(await readFile(join(express, "LICENSE"), "utf8")).toContain("MIT")
  })
})

describe("what is sent to the builder", () => {
  test.each([
    [".git/config", true],
    ["node_modules/vitest/package.json", true],
    ["packages/proxy-in/node_modules/ws/package.json", true],
    ["packages/proxy-in/dist/index.js", true],
    ["restante.token", true],
    [".env", true],
    ["packages/proxy-in/src/index.ts", false],
    ["pnpm-lock.yaml", false],
  ])("%s stays behind: %s", async (path, ignored) => {
    const text = await readFile(fileURLToPath(new URL("../../.dockerignore", import.meta.url)), "utf8")
    expect(dockerignore.default().add(text).ignores(path)).toBe(ignored)
  })
})

interface Running extends AsyncDisposable {
  /** The first group of the first line of standard output that matches. */
  line(pattern: RegExp): Promise<string>
  readonly ended: Promise<number>
  readonly errors: () => string
}

/** Starts it as a container would: the stage's own PATH, variables and folder, nothing of this process's. */
function start(stage: BuiltStage, words: readonly string[], more: Record<string, string> = {}): Running {
  const [program = "", ...given] = words
  const child = spawn(program, given, {
    cwd: join(stage.root, stage.workdir),
    env: { ...stage.environment, RESTANTE_TOKEN: token, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const said: string[] = []
  let errors = ""
  createInterface(child.stdout).on("line", (line) => said.push(line))
  child.stderr.on("data", (bytes: Buffer) => (errors += bytes.toString()))
  const ended = once(child, "close").then(([code]) => Number(code))
  const line = (pattern: RegExp): Promise<string> =>
    until(
      () => `${words.join(" ")} to say ${String(pattern)}: ${errors}`,
      () => said.map((one) => pattern.exec(one)).find((match) => match !== null)?.[0],
      60_000,
    )
  const dispose = async (): Promise<void> => {
    child.kill("SIGKILL")
    await ended
  }
  return { line, ended, errors: () => errors, [Symbol.asyncDispose]: dispose }
}

/** What HEALTHCHECK finds. */
async function health(
  stage: BuiltStage,
  ports: Record<string, string>,
): Promise<{ readonly code: number; readonly said: string }> {
  await using check = start(stage, stage.healthcheck, ports)
  return { code: await check.ended, said: check.errors() }
}
