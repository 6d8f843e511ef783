// Logs for tests: one that says nothing, and one whose lines the test reads.
import { pino } from "pino"
import type { Logger } from "pino"

export const quietLog: Logger = pino({ enabled: false })

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export function recordedLog(): {
  readonly log: Logger
  readonly lines: LogLine[]
  readonly text: () => string
} {
  const lines: LogLine[] = []
  const written: string[] = []
  const log = pino(
    { level: "debug" },
    {
      write: (line: string) => {
        written.push(line)
        lines.push(JSON.parse(line) as LogLine)
      },
    },
  )
  return { log, lines, text: () => written.join("") }
}
