// The steps that look at this machine: data directory, token, open files.
import { access, constants, readFile, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import {
  CommandError,
  givenToken,
  parseToken,
  shown,
  systemCode,
  weakTokenLength,
  type Report,
  type Secret,
} from "@restante/protocol"
import { readGivenFile } from "../given-file.ts"
import { readTokens, TokensFileError } from "../credentials/tokens-file.ts"
import type { DoctorOptions } from "./doctor.ts"
import type { EdgeFindingCode } from "./findings.ts"

type EdgeReport = Report<EdgeFindingCode>

export async function dataStep({ dataDir, machine }: DoctorOptions): Promise<EdgeReport> {
  try {
    const nearest = await nearestDirectory(dataDir)
    await access(nearest, constants.W_OK | constants.X_OK)
    const free = await machine.freeBytes(nearest)
    const detail = `${shown(dataDir)}, ${Math.floor(free / mib)} MiB free`
    if (free < leastFreeBytes) return { code: "data_full", detail }
    return { code: nearest === dataDir ? "data_ready" : "data_new", detail }
  } catch (error) {
    return { code: "data_unusable", detail: `${shown(dataDir)}: ${systemCode(error) ?? "no directory"}` }
  }
}

export async function tokenStep(options: DoctorOptions): Promise<EdgeReport> {
  const { defaultToken, tokensFile, dataDir, tokenFile, environment } = options
  const kept = join(dataDir, "token")
  try {
    if (!defaultToken) {
      await readTokens(tokensFile)
      return { code: "token_named" }
    }
    const given = await givenToken({
      file: tokenFile,
      environment,
      readText: readGivenFile,
    })
    if (given !== undefined) return await judged(given, tokenFile)
    const text = await readFile(kept, "utf8").catch((error: unknown) => {
      if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined
      throw error
    })
    if (text === undefined) return { code: "token_new" }
    return await judged(parseToken(text, `The file ${shown(kept)}`), kept)
  } catch (error) {
    const detail =
      error instanceof CommandError || error instanceof TokensFileError
        ? error.message.replace(/\.$/, "")
        : systemCode(error)
    return { code: "token_unusable", detail }
  }
}

export async function filesStep({ maxQueue, machine }: DoctorOptions): Promise<EdgeReport> {
  const most = await machine.mostOpenFiles()
  if (most === undefined) return { code: "files_unknown" }
  const wanted = maxQueue + besidesClients
  const detail = `${most}, --max-queue ${maxQueue}`
  return { code: most < wanted ? "files_few" : "files_enough", detail }
}

const mib = 1024 * 1024
/** What the edge keeps there is small; less than this will soon be nothing. */
const leastFreeBytes = 100 * mib
/** Agents' connections, Redis, the log. */
const besidesClients = 512

async function judged(token: Secret, path: string | undefined): Promise<EdgeReport> {
  const open = path !== undefined && ((await stat(path)).mode & 0o077) !== 0
  if (open) return { code: "token_open", detail: shown(path) }
  return { code: token.reveal().length < weakTokenLength ? "token_weak" : "token_good" }
}

/** The directory itself, or the one in which it would be made. Rejects where a file is in the way. */
async function nearestDirectory(path: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) return path
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error
    return nearestDirectory(dirname(path))
  }
  throw new Error("not a directory")
}
