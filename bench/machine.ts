// What this machine has of the programs that are not ours. One that is missing costs its contenders, with a word on how to
// get it, and never silently.
import { access, constants } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { findRedisServer } from "../test/support/redis.ts"

export interface Machine {
  /** Path of nginx, if there is one. */
  readonly nginx: string | undefined
  /** Path of redis-server, if there is one. */
  readonly redis: string | undefined
}

/** A contender that cannot take part on this machine; the message says what to do. */
export class MissingProgram extends Error {}

/** `path`: the folders to look in, as in the environment's PATH. */
export async function lookAround(path: string): Promise<Machine> {
  // Debian keeps nginx where only root's PATH leads.
  const folders = [...path.split(delimiter), "/usr/sbin", "/usr/local/sbin"]
  const candidates = folders.map((folder) => join(folder, "nginx"))
  const found = await Promise.all(candidates.map(isExecutable))
  return {
    nginx: candidates[found.indexOf(true)],
    redis: await findRedisServer().catch(() => undefined),
  }
}

/** Raises `MissingProgram` when there is none. */
export function needed(machine: Machine, program: keyof Machine): string {
  const path = machine[program]
  if (path === undefined) throw new MissingProgram(remedies[program])
  return path
}

const remedies: Readonly<Record<keyof Machine, string>> = {
  nginx: "nginx is missing. To have it measured: apt-get install nginx, or brew install nginx",
  redis:
    "redis-server is missing. To have it measured: apt-get install redis-server, brew install redis, or name one in RESTANTE_REDIS_SERVER",
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
