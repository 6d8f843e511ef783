// How a log looks: JSON, one line for each event, or the same turned into lines that a person reads on a terminal.
import type { TextOutput } from "./program.ts"

/** "auto": pretty on a terminal, JSON elsewhere. */
export const logFormats = ["auto", "pretty", "json"] as const
export type LogFormat = (typeof logFormats)[number]

/** Where a log's lines go; undefined: as JSON to where the program's log goes by itself. */
export function logDestination(
  format: LogFormat,
  output: TextOutput,
): { write(line: string): void } | undefined {
  return format === "pretty" || (format === "auto" && output.isTerminal) ? prettyLog(output) : undefined
}

/** pino's numbers, as words of one width. */
const levelWords: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info ",
  40: "warn ",
  50: "error",
  60: "fatal",
}
/** Of every line, or of no use to a person. */
const leftOut: ReadonlySet<string> = new Set(["level", "time", "pid", "hostname", "msg", "name"])

function prettyLog(output: TextOutput): { write(line: string): void } {
  return { write: (line) => void output.write(readableLogLine(line)) }
}

/** `12:30:01 info  attached  tunnel=default`; a line that is no JSON object is given back as it is. Control characters never come through. */
function readableLogLine(line: string): string {
  const entry = parseObject(line)
  if (entry === undefined) return line
  const time = typeof entry["time"] === "number" ? new Date(entry["time"]).toTimeString().slice(0, 8) : ""
  const level = typeof entry["level"] === "number" ? (levelWords[entry["level"]] ?? "") : ""
  const fields = Object.entries(entry)
    .filter(([name]) => !leftOut.has(name))
    .map(([name, value]) => `${name}=${fieldText(value)}`)
  const message = typeof entry["msg"] === "string" ? visible(entry["msg"]) : ""
  return `${[time, level, message].join(" ")}${fields.length > 0 ? `  ${fields.join(" ")}` : ""}\n`
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function fieldText(value: unknown): string {
  if (
    typeof value === "object" &&
    value !== null &&
    "message" in value &&
    typeof value.message === "string"
  ) {
    return visible(value.message)
  }
  return visible(typeof value === "string" ? value : (JSON.stringify(value) ?? ""))
}

/** A terminal obeys control characters; what a peer sent must not be able to give it orders. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`)
}
