// Reads a file that a person named, such that none can keep the program waiting for ever: only regular files, and, where they are read
// once, pipes (`<(command)`, /dev/stdin), which have a time limit.
import { systemCode } from "./command-error.ts"

/** The part of `node:fs/promises` that is used, and a timer. */
export interface GivenFiles {
  readonly constants: { readonly O_RDONLY: number; readonly O_NONBLOCK?: number }
  stat(path: string): Promise<{ isFile(): boolean; isFIFO(): boolean; isDirectory(): boolean }>
  open(path: string, flags: number): Promise<OpenFile>
  wait(waitMs: number): Promise<void>
}

interface OpenFile {
  read(into: Uint8Array): Promise<{ readonly bytesRead: number }>
  close(): Promise<void>
}

/** Certificate chains, the largest of such files, are a tenth of it. */
const mostBytes = 1024 * 1024
/** Who writes into a pipe may have to ask somebody for what it writes. */
const pipeWaitMs = 10_000
const lookAgainMs = 20

/**
 * The whole text, of UTF-8. Rejects with the system's error, or with one whose message says what is wrong as `systemReason` would: "it is
 * no regular file". `pipes`: whether it may be one, as it is read once.
 */
export async function givenFileText(path: string, files: GivenFiles, pipes: boolean): Promise<string> {
  const kind = await files.stat(path)
  if (kind.isDirectory()) throw new Error("it is a directory")
  const pipe = pipes && kind.isFIFO()
  if (!kind.isFile() && !pipe)
    throw new Error(pipes ? "it is no regular file or pipe" : "it is no regular file")
  // Else opening a pipe waits for somebody who writes, and cannot be given up.
  const file = await files.open(path, files.constants.O_RDONLY | (files.constants.O_NONBLOCK ?? 0))
  try {
    return await textOf(file, pipe ? files : undefined)
  } finally {
    await file.close()
  }
}

/** `timer`: of a pipe. Without anybody who writes it is at its end, which counts only once something came. */
async function textOf(file: OpenFile, timer: Pick<GivenFiles, "wait"> | undefined): Promise<string> {
  const bytes = Buffer.alloc(mostBytes + 1)
  let length = 0
  let waitedMs = 0
  while (length <= mostBytes) {
    // oxlint-disable-next-line no-await-in-loop -- each part comes behind the one before
    const read = await readSome(file, bytes.subarray(length))
    if (read === 0 && (timer === undefined || length > 0)) return bytes.toString("utf8", 0, length)
    length += read ?? 0
    if (read !== undefined && read > 0) continue
    if (timer === undefined || waitedMs >= pipeWaitMs)
      throw new Error(`nothing more came through this pipe within ${pipeWaitMs / 1000} s`)
    // oxlint-disable-next-line no-await-in-loop -- until there is more
    await timer.wait(lookAgainMs)
    waitedMs += lookAgainMs
  }
  throw new Error("it is larger than 1 MiB")
}

/** Undefined: somebody who writes has not said more yet. */
async function readSome(file: OpenFile, into: Uint8Array): Promise<number | undefined> {
  try {
    return (await file.read(into)).bytesRead
  } catch (error) {
    if (systemCode(error) === "EAGAIN") return undefined
    throw error
  }
}
