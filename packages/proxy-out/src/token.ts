// Finds the token that agents must show: the given one, else the one that an earlier start made, else a new one.
import { randomBytes } from "node:crypto"
import { chmod, link, mkdir, readFile, stat, unlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  CommandError,
  givenToken,
  parseToken,
  shown,
  systemCode,
  systemReason,
  type Secret,
} from "@restante/protocol"
import { readGivenFile } from "./given-file.ts"

export interface FoundToken {
  /** Undefined when there is none that opens every tunnel. */
  readonly token: Secret | undefined
  readonly origin: TokenOrigin
}

export type TokenOrigin =
  | { readonly kind: "environment" }
  /** `--token-file`. */
  | { readonly kind: "file"; readonly path: string }
  /** `--default-token off`: only the named tokens of this file. */
  | { readonly kind: "named"; readonly path: string }
  /** In the data directory; `madeNow` on the first start only. */
  | { readonly kind: "kept"; readonly path: string; readonly madeNow: boolean }

export interface TokenPlaces {
  readonly tokenFile: string | undefined
  readonly dataDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Raises `CommandError` when a given file cannot be read, or the data directory neither read nor written. */
export async function findToken(places: TokenPlaces): Promise<FoundToken> {
  const token = await givenToken({
    file: places.tokenFile,
    environment: places.environment,
    readText: readGivenFile,
  })
  if (token !== undefined) {
    const { tokenFile } = places
    return {
      token,
      origin: tokenFile === undefined ? { kind: "environment" } : { kind: "file", path: tokenFile },
    }
  }
  const path = join(places.dataDir, "token")
  try {
    const kept = await readKept(path)
    if (kept !== undefined) return { token: kept, origin: { kind: "kept", path, madeNow: false } }
    const madeNow = await keepNew(places.dataDir, path)
    const made = await readKept(path)
    if (made === undefined)
      throw new CommandError("startup", `The token in ${shown(path)} went away while starting. Start again.`)
    return { token: made, origin: { kind: "kept", path, madeNow } }
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(
      "startup",
      `Cannot keep a token in ${shown(places.dataDir)}: ${systemReason(error)}. Name a directory of yours with --data-dir, or give a token with --token-file FILE.`,
      { cause: error },
    )
  }
}

/**
 * Where state belongs when `--data-dir` is not given (XDG Base Directory Specification: a relative XDG_STATE_HOME does not count).
 * `home` is the user's home directory.
 */
export function defaultDataDir(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const state = environment["XDG_STATE_HOME"]
  return join(state?.startsWith("/") === true ? state : join(home, ".local", "state"), "restante")
}

const ownerOnly = 0o600

async function readKept(path: string): Promise<Secret | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined
    throw error
  })
  if (text === undefined) return undefined
  // A backup or a copy may have opened it to others; it is ours to close again.
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, ownerOnly)
  return parseToken(text, `The file ${shown(path)}`)
}

/** Writes a new token as a whole file or not at all. False when another start was faster: its token counts. */
async function keepNew(dataDir: string, path: string): Promise<boolean> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString("hex")}`
  await writeFile(draft, `${randomBytes(32).toString("base64url")}\n`, {
    mode: ownerOnly,
    flag: "wx",
    flush: true,
  })
  try {
    // Unlike a rename, a link never replaces a token that is there already.
    await link(draft, path)
    return true
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false
    throw error
  } finally {
    await unlink(draft)
  }
}
