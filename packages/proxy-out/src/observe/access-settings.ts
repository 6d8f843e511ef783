// Opens the access log as the command line wants it.
import { CommandError, systemReason, type OptionValues } from "@restante/protocol"
import type { Logger } from "pino"
import type { EdgeTable } from "../cli-options.ts"
import type { AccessLineOptions } from "./access-line.ts"
import { LineFile } from "./line-file.ts"

export interface AccessLog extends AccessLineOptions {
  readonly file: LineFile
}

/** Undefined when there is to be none. Raises `CommandError("startup")` for a file that cannot be opened. */
export function openAccessLog(values: OptionValues<EdgeTable>, log: Logger): AccessLog | undefined {
  const format = values["access-log"]
  if (format === "off") return undefined
  try {
    const file = new LineFile({
      path: values["access-log-file"],
      onError: (error) => log.error({ err: error }, "the access log cannot be written"),
    })
    return { format, query: values["access-log-query"], file }
  } catch (error) {
    throw new CommandError(
      "startup",
      `--access-log-file: cannot open that file, ${systemReason(error)}. Name one in a directory where proxy-out may write.`,
      { cause: error },
    )
  }
}
