// Reads the files that the command line names, with this machine's files and timers.
import { constants, open, stat } from "node:fs/promises"
import { setTimeout as wait } from "node:timers/promises"
import { givenFileText, type GivenFiles } from "@restante/protocol"

/** What is read once, at the start: a regular file or a pipe. See `givenFileText`. */
export function readGivenFile(path: string): Promise<string> {
  return givenFileText(path, files, true)
}

/** What is looked at again while the edge runs: a regular file. */
export function readKeptFile(path: string): Promise<string> {
  return givenFileText(path, files, false)
}

const files: GivenFiles = { constants, open, stat, wait: (waitMs) => wait(waitMs) }
