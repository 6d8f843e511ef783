// Reads the files that the command line names, with this machine's files and timers.
import { constants, open, stat } from "node:fs/promises"
import { setTimeout as wait } from "node:timers/promises"
import { givenFileText } from "@restante/protocol"

/** See `givenFileText`: a regular file or a pipe. */
export function readGivenFile(path: string): Promise<string> {
  return givenFileText(path, { constants, open, stat, wait: (waitMs) => wait(waitMs) }, true)
}
