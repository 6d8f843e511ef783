// One line of the access log for a request that ended, in the Combined Log Format that web servers write, or as JSON. Made on the hot
// path: one string, put together from parts that are mostly at hand. Never holds Authorization or Cookie.
import type { RequestHead } from "@restante/protocol"

export const accessLogFormats = ["off", "combined", "json"] as const
export type AccessLogFormat = (typeof accessLogFormats)[number]

export interface AccessEntry {
  /** Epoch milliseconds of the end. */
  readonly endedAt: number
  readonly exchangeId: string
  readonly clientAddress: string
  /** Undefined for what could not be read. */
  readonly request: RequestHead | undefined
  /** How the client speaks, where that is not the HTTP/1 of the request. */
  readonly protocol?: "h2" | undefined
  /** What the client got; 499 when it left before that. */
  readonly status: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly totalMs: number
  /** These five are unknown for what was refused at the door. */
  readonly tunnel?: string | undefined
  readonly attempt?: number | undefined
  readonly queueMs?: number | undefined
  readonly linkMs?: number | undefined
  readonly upstreamMs?: number | undefined
  /** The error's code, "cancelled" or "broken"; undefined for the private server's whole answer. */
  readonly error?: string | undefined
}

export interface AccessLineOptions {
  readonly format: Exclude<AccessLogFormat, "off">
  /** What stands behind "?" may be secret: "drop" leaves it out. */
  readonly query: "keep" | "drop"
}

export function accessLine(entry: AccessEntry, { format, query }: AccessLineOptions): string {
  const target = entry.request?.target ?? ""
  const end = query === "drop" ? target.indexOf("?") : -1
  const shown = end < 0 ? target : target.slice(0, end)
  return format === "json" ? jsonLine(entry, shown) : combinedLine(entry, shown)
}

function jsonLine(entry: AccessEntry, target: string): string {
  const { request, tunnel, error } = entry
  let line =
    `{"time":"${isoTime(entry.endedAt)}","exchange":"${entry.exchangeId}","client":"${entry.clientAddress}",` +
    requestMembers(request, target) +
    `"status":${entry.status},"requestBytes":${entry.requestBytes},"responseBytes":${entry.responseBytes}`
  if (tunnel !== undefined) line += `,"tunnel":"${tunnel}","attempt":${entry.attempt ?? 1}`
  if (entry.queueMs !== undefined) line += `,"queueMs":${milliseconds(entry.queueMs)}`
  if (entry.linkMs !== undefined) line += `,"linkMs":${milliseconds(entry.linkMs)}`
  if (entry.upstreamMs !== undefined) line += `,"upstreamMs":${milliseconds(entry.upstreamMs)}`
  line += `,"totalMs":${milliseconds(entry.totalMs)}`
  if (error !== undefined) line += `,"error":"${error}"`
  const referer = request?.fields.get("referer")
  if (referer !== undefined) line += `,"referer":"${escaped(referer)}"`
  const agent = request?.fields.get("user-agent")
  if (agent !== undefined) line += `,"userAgent":"${escaped(agent)}"`
  return `${line}}\n`
}

function requestMembers(request: RequestHead | undefined, target: string): string {
  if (request === undefined) return ""
  return `"method":"${request.method}","target":"${escaped(target)}","host":"${escaped(request.host ?? "")}",`
}

function combinedLine(entry: AccessEntry, target: string): string {
  const { request } = entry
  const version = entry.protocol === "h2" ? "2.0" : `1.${request?.minorVersion ?? 1}`
  const line = request && `${request.method} ${escaped(target)} HTTP/${version}`
  const referer = request?.fields.get("referer") ?? "-"
  const agent = request?.fields.get("user-agent") ?? "-"
  return (
    `${entry.clientAddress} - - [${clfTime(entry.endedAt)}] "${line ?? "-"}" ` +
    `${entry.status} ${entry.responseBytes} "${escaped(referer)}" "${escaped(agent)}"\n`
  )
}

/** What JSON and a reader of lines could take for something else becomes \u00xx: quotes, backslashes, control characters, and what is no ASCII. */
function escaped(text: string): string {
  return plain.test(text)
    ? text
    : text.replaceAll(special, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

const plain = /^[ !#-[\]-~]*$/
const special = /[^ !#-[\]-~]/g

/** With three digits behind the point, which `toFixed` does at several times the cost. */
export function milliseconds(ms: number): string {
  const micros = Math.max(0, Math.round(ms * 1000))
  const whole = Math.floor(micros / 1000)
  return whole + (fractions[micros - whole * 1000] ?? "")
}

const fractions: readonly string[] = Array.from({ length: 1000 }, (_, place) =>
  place === 0 ? "" : `.${String(place).padStart(3, "0")}`,
)

let isoAt = -1
let isoText = ""

/** Under load many lines are of one millisecond. */
export function isoTime(now: number): string {
  if (now !== isoAt) {
    isoAt = now
    isoText = new Date(now).toISOString()
  }
  return isoText
}

let clfSecond = -1
let clfText = ""
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** In UTC, so that lines of machines in different places compare. */
export function clfTime(now: number): string {
  const second = Math.floor(now / 1000)
  if (second !== clfSecond) {
    clfSecond = second
    const iso = new Date(second * 1000).toISOString()
    clfText = `${iso.slice(8, 10)}/${months[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
  }
  return clfText
}
