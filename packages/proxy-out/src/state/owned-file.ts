// A small file of ours in the data directory: written whole or not at all, readable by its owner only, and changed by one
// process at a time, because commands change it while an edge runs.
import { randomBytes } from "node:crypto"
import { mkdir, open, readFile, rename, stat, unlink, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { systemCode } from "@restante/protocol"

/**
 * Replaces what the file holds by what `change` makes of it (`text` is undefined when there is no file). Undefined: it stays as it is.
 * Rejects with the system's error, with what `change` throws, and when another process keeps the file for too long.
 */
export async function changeFile(
  path: string,
  change: (text: string | undefined) => string | undefined,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const lock = `${path}.lock`
  await takeLock(lock)
  try {
    const text = change(await readIfThere(path))
    if (text === undefined) return
    const draft = `${path}.${randomBytes(6).toString("hex")}`
    try {
      await writeFile(draft, text, { mode: ownerOnly, flag: "wx", flush: true })
      await rename(draft, path)
    } catch (error) {
      await unlink(draft).catch(() => undefined)
      throw error
    }
  } finally {
    await unlink(lock).catch(() => undefined)
  }
}

/** Undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isFile()) throw new Error("it is no regular file") // a pipe would keep us waiting
    return await readFile(path, "utf8")
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined
    throw error
  }
}

/** A text that differs when the file may have another content; "" when there is none. It is looked at, not read. */
export async function fileStamp(path: string): Promise<string> {
  try {
    const { mtimeNs, ino, size } = await stat(path, { bigint: true })
    return `${mtimeNs} ${ino} ${size}`
  } catch (error) {
    if (systemCode(error) === "ENOENT") return ""
    throw error
  }
}

const ownerOnly = 0o600
const lockWaitMs = 3000
const lockRetryMs = 20
/** Nobody needs this long: whoever made the lock is gone. */
const staleLockMs = 10_000

async function takeLock(lock: string): Promise<void> {
  const until = Date.now() + lockWaitMs
  for (;;) {
    try {
      await (await open(lock, "wx", ownerOnly)).close()
      return
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error
    }
    const made = await stat(lock).catch(() => undefined)
    if (made !== undefined && Date.now() - made.mtimeMs > staleLockMs)
      await unlink(lock).catch(() => undefined)
    else if (Date.now() > until) throw new Error(`another process keeps ${lock}`)
    else await sleep(lockRetryMs)
  }
}
