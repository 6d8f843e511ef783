// A private npm registry: verdaccio as an own process, with nothing above it.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { freePort } from "./redis.ts"
import { until } from "./until.ts"

const require = createRequire(import.meta.url)

export interface Registry extends AsyncDisposable {
  readonly url: string
}

/** Keeps everything in `folder`. */
export async function startRegistry(folder: string): Promise<Registry> {
  const port = await freePort()
  const config = join(folder, "verdaccio.json")
  await writeFile(
    config,
    JSON.stringify({
      storage: join(folder, "storage"),
      auth: { htpasswd: { file: join(folder, "htpasswd"), max_users: 10 } },
      uplinks: {},
      packages: { "**": { access: "$all", publish: "$authenticated" } },
      max_body_size: "50mb",
      web: { enable: false },
      log: { type: "stdout", format: "json", level: "warn" },
    }),
  )
  const manifest = require.resolve("verdaccio/package.json")
  const verdaccio = spawn(
    process.execPath,
    [join(dirname(manifest), "bin", "verdaccio"), "--config", config, "--listen", `127.0.0.1:${port}`],
    { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder }, stdio: "ignore" },
  )
  const ended = once(verdaccio, "exit")
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    verdaccio.kill("SIGKILL")
    await ended
  }
  try {
    await until("verdaccio to answer", () => answers(`${url}/-/ping`), 30_000)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, [Symbol.asyncDispose]: stop }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
