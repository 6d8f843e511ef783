// This machine as a host of services: its files, its systemctl, and where this program itself lies.
import { execFile } from "node:child_process"
import { existsSync, realpathSync } from "node:fs"
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { systemCode } from "@restante/protocol"
import type { Ran, ServiceHost } from "./service-host.ts"

/** The part of `process` that is used. */
export interface ProcessFacts {
  readonly platform: string
  readonly execPath: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  cwd(): string
}

export function machine(facts: ProcessFacts): ServiceHost {
  const { platform, execPath, argv, env } = facts
  const settings = env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? "/", ".config")
  return {
    platform,
    workingDirectory: facts.cwd(),
    // Links to the program move with every update of a version manager; what they point to may be gone then, so ours goes with it.
    program: [execPath, ...argv.slice(1, 2)].map((path) => realpathSync(path)),
    systemdRuns: existsSync("/run/systemd/system"),
    unitDirectories: { system: "/etc/systemd/system", user: join(settings, "systemd", "user") },
    readableByAll,
    readText: async (path) => {
      try {
        return await readFile(path, "utf8")
      } catch (error) {
        const code = systemCode(error)
        if (code === "ENOENT" || code === "ENOTDIR") return undefined
        throw error
      }
    },
    writeText: async (path, text) => {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text, { mode: 0o644 })
    },
    remove: (path) => rm(path),
    run: (command, given) => runToEnd(command, given, env),
  }
}

async function readableByAll(path: string): Promise<boolean> {
  const file = await stat(path)
  if ((file.mode & 0o004) === 0) return false
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

function runToEnd(command: string, given: readonly string[], env: ProcessFacts["env"]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, given, { env, timeout: slowestMs }, (error, output, errors) => {
      if (error === null) resolve({ code: 0, output, errors })
      else if (error.code === "ENOENT")
        resolve({ code: 127, output, errors: `there is no ${command} in PATH` })
      else resolve({ code: typeof error.code === "number" ? error.code : 1, output, errors })
    })
  })
}

/** Stopping an agent may take 35 s. */
const slowestMs = 60_000
