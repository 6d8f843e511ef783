// The kinds of value that several options share. Each gives how a text is read together with what the JSON Schema says about
// it, to be spread into an entry of a table: `{ group: "…", help: "…", ...wholeNumber(1, 100) }`.
import { CommandError, shown } from "./command-error.ts"
import { parseByteSize, type ByteRange } from "./byte-sizes.ts"
import { parseDurationMs, type DurationRange } from "./durations.ts"
import { didYouMean } from "./nearest.ts"
import type { Option, ValueSchema } from "./options.ts"

export interface Kind<Value> {
  readonly schema: ValueSchema
  read(this: void, text: string): Value
}

/** A whole number in a range, both ends allowed. */
export function wholeNumber(least: number, most: number): Kind<number> {
  return {
    schema: { type: "integer", minimum: least, maximum: most },
    read: (text) => readCount(text, least, most),
  }
}

/** One of a few words. */
export function choice<const Choice extends string>(choices: readonly Choice[]): Kind<Choice> {
  return { schema: { enum: choices }, read: (text) => readChoice(text, choices) }
}

/** `500ms`, `30s`, `2m`, `1h`, `90d` as milliseconds. */
export function duration(range: DurationRange): Kind<number> {
  return {
    // The integer is 0, the one duration that needs no unit.
    schema: {
      type: ["string", "integer"],
      pattern: "^(0|[0-9]+([.][0-9]+)?(ms|s|m|h|d))$",
      minimum: 0,
      maximum: 0,
    },
    read: (text) => parseDurationMs(text, range),
  }
}

/** `512`, `64KiB`, `1MiB`, `10GB` as bytes. */
export function byteSize(range: ByteRange): Kind<number> {
  return {
    schema: {
      type: ["string", "integer"],
      pattern: "^[0-9]+([.][0-9]+)? ?(B|kB|KB|KiB|MB|MiB|GB|GiB)?$",
      minimum: range.leastBytes,
      maximum: range.mostBytes,
    },
    read: (text) => parseByteSize(text, range),
  }
}

/** Any text; checked where it is used, as the name of a file is. */
export const anyText: Kind<string> = { schema: { type: "string" }, read: (text) => text }

/** `--config`, the same for both programs. */
export const configFile = {
  group: "Configuration",
  placeholder: "FILE",
  help: "YAML file of options, each under its name without the dashes. --print-config shows what comes of all sources",
  ...anyText,
} as const satisfies Option<string>

/** For an option with `flag: true`. */
export const onOrOff: Kind<boolean> = {
  schema: { type: "boolean" },
  read: (text) => {
    if (text === "true" || text === "false") return text === "true"
    throw new CommandError("usage", `${shown(text)} is neither true nor false.`)
  },
}

/** Reads one of a few words. */
export function readChoice<const Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((one) => one === text)
  if (found !== undefined) return found
  const nearest = didYouMean(text, choices)
  throw new CommandError("usage", `${shown(text)} is not one of ${choices.join(", ")}.${nearest}`)
}

/** Reads a whole number in a range, both ends allowed. */
export function readCount(text: string, least: number, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= least && count <= most) return count
  throw new CommandError(
    "usage",
    `${shown(text)} is not possible. Give a whole number from ${least} to ${most}.`,
  )
}

export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const
export type LogLevel = (typeof logLevels)[number]
