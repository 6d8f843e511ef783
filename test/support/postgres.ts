// A real PostgreSQL on a free loopback port, with a database of its own that goes away with it.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readdirSync } from "node:fs"
import { chown } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { userInfo } from "node:os"
import { run, succeed } from "./command.ts"
import { freePort } from "./redis.ts"
import { until } from "./until.ts"

export interface Postgres extends AsyncDisposable {
  readonly port: number
}

/** Keeps everything in `folder`. Its user is "tester", without a password. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const database = join(folder, "database")
  const port = await freePort()
  // It refuses to run as root.
  const owner = userInfo().uid === 0 ? await ownerOf("postgres") : undefined
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid)
  const as = owner ?? {}
  const initialised = spawn(
    programPath("initdb"),
    ["-D", database, "-U", "tester", "-A", "trust", "--no-sync"],
    {
      ...as,
      cwd: folder,
      stdio: "ignore",
    },
  )
  await once(initialised, "exit")
  const server = spawn(
    programPath("postgres"),
    ["-D", database, "-h", "127.0.0.1", "-p", String(port), "-k", folder, "-F"],
    { ...as, cwd: folder, stdio: "ignore" },
  )
  const ended = once(server, "exit")
  await until("PostgreSQL to answer", async () => {
    const asked = await run("psql", [...addressOf(port), "-c", "select 1"])
    return asked.code === 0
  })
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.kill("SIGINT")
      await ended
    },
  }
}

/** What psql needs to reach it, or a port that leads to it. */
export function addressOf(port: number): readonly string[] {
  return ["-X", "-h", "127.0.0.1", "-p", String(port), "-U", "tester", "-d", "postgres"]
}

async function ownerOf(user: string): Promise<{ uid: number; gid: number }> {
  return {
    uid: Number(await succeed("id", ["-u", user])),
    gid: Number(await succeed("id", ["-g", user])),
  }
}

/** Debian keeps each version's programs in a folder of their own, out of PATH. */
function programPath(name: string): string {
  const debian = "/usr/lib/postgresql"
  const versions = existsSync(debian)
    ? readdirSync(debian).map((version) => join(debian, version, "bin"))
    : []
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...versions]
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`There is no ${name}: install PostgreSQL's server`)
  return found
}
