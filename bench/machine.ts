// What this machine has of the programs that are not ours. One that is missing costs its contenders, with a word on how to
// get it, and never silently.
import { access, constants } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { findRedisServer } from "../test/support/redis.ts"

/** Paths of programs, or why they cannot be used. */
export interface Machine {
  readonly nginx: string | Missing
  readonly redis: string | Missing
}

export interface Missing {
  readonly missing: string
}

export async function lookAround(path: string): Promise<Machine> {
  return { nginx: await findNginx(path), redis: await findRedis() }
}

async function findNginx(path: string): Promise<string | Missing> {
  // Debian keeps it where only root's PATH leads.
  const folders = [...path.split(delimiter), "/usr/sbin", "/usr/local/sbin"]
  const candidates = folders.map((folder) => join(folder, "nginx"))
  const found = await Promise.all(candidates.map(isExecutable))
  return (
    candidates[found.indexOf(true)] ?? {
      missing: "nginx is not on PATH. Install it (Debian, Ubuntu: sudo apt-get install nginx-light; macOS: brew install nginx)",
    }
  )
}

async function findRedis(): Promise<string | Missing> {
  try {
    return await findRedisServer()
  } catch {
    return {
      missing:
        "redis-server is neither on PATH nor in RESTANTE_REDIS_SERVER. Install it (Debian, Ubuntu: sudo apt-get install redis-server; macOS: brew install redis)",
    }
  }
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
