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
  /** Path of rathole, if there is one. */
  readonly rathole: string | undefined
  /** Path of ssh, if there is one with its server. */
  readonly ssh: string | undefined
}

/** A contender that cannot take part on this machine; the message says what to do. */
export class MissingProgram extends Error {}

/** `environment`: the folders to look in (PATH), and a rathole that is in none of them (RESTANTE_RATHOLE). */
export async function lookAround({
  PATH: path = "",
  RESTANTE_RATHOLE: named,
}: NodeJS.ProcessEnv): Promise<Machine> {
  // Debian keeps nginx and sshd where only root's PATH leads.
  const folders = [...path.split(delimiter), "/usr/sbin", "/usr/local/sbin"]
  const find = (name: string): Promise<string | undefined> =>
    firstExecutable(folders.map((folder) => join(folder, name)))
  const [nginx, sshd, ssh, rathole, redis] = await Promise.all([
    find("nginx"),
    find("sshd"),
    find("ssh"),
    named === undefined ? find("rathole") : firstExecutable([named]),
    findRedisServer().catch(() => undefined),
  ])
  return { nginx, redis, rathole, ssh: sshd === undefined ? undefined : ssh }
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
  rathole: "rathole is missing. To have it measured: cargo install rathole, or name one in RESTANTE_RATHOLE",
  ssh: "ssh or sshd is missing. To have it measured: apt-get install openssh-server openssh-client",
}

async function firstExecutable(files: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(files.map(isExecutable))
  return files[found.indexOf(true)]
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
