// The steps that look at ports: the edge's own, the one that redirects, and those that agents may ask for.
import { get, type ClientRequest, type IncomingMessage } from "node:http"
import { get as getSecure } from "node:https"
import { systemCode, type PortKind, type Report } from "@restante/protocol"
import { rangesText } from "../ports/port-range.ts"
import type { DoctorOptions } from "./doctor.ts"
import type { EdgeFindingCode } from "./findings.ts"

type EdgeReport = Report<EdgeFindingCode>

export async function portStep({ host, port, machine }: DoctorOptions): Promise<EdgeReport> {
  const detail = placeText(host, port)
  const code = await codeOf(machine.tryListen("tcp", host, port))
  if (code === undefined) return { code: "port_free", detail }
  if (code === "EADDRINUSE") return { code: (await isEdge(host, port)) ? "port_ours" : "port_taken", detail }
  return { code: denials.has(code) ? "port_denied" : "port_address", detail }
}

export async function redirectStep(
  { host, port, machine }: DoctorOptions,
  redirectPort: number,
): Promise<EdgeReport> {
  const detail = placeText(host, redirectPort)
  const code = await codeOf(machine.tryListen("tcp", host, redirectPort))
  if (code === undefined) return { code: "redirect_free", detail }
  if (code === "EADDRINUSE") {
    const ours = (await redirectsTo(host, redirectPort, port)) && (await isEdge(host, port))
    return { code: ours ? "redirect_ours" : "redirect_taken", detail }
  }
  return { code: denials.has(code) ? "redirect_denied" : "redirect_address", detail }
}

/** Who may open the lowest may open the others. That a program has it already is no matter: agents are given what is free. */
export async function rangesStep(
  { host, machine, portRanges }: DoctorOptions,
  kind: PortKind,
): Promise<EdgeReport> {
  const ranges = portRanges[kind]
  const lowest = Math.min(...ranges.map(({ first }) => first))
  const code = await codeOf(machine.tryListen(kind, host, lowest))
  if (code === undefined || code === "EADDRINUSE")
    return { code: `${kind}_ports_allowed`, detail: rangesText(ranges) }
  if (denials.has(code)) return { code: `${kind}_ports_denied`, detail: `${lowest} of ${rangesText(ranges)}` }
  return { code: `${kind}_ports_address`, detail: placeText(host, lowest) }
}

const askMs = 2000
const denials: ReadonlySet<string> = new Set(["EACCES", "EPERM"])

function placeText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`
}

/** Undefined: it could be opened. */
async function codeOf(attempt: Promise<void>): Promise<string | undefined> {
  try {
    await attempt
    return undefined
  } catch (error) {
    return systemCode(error) ?? "unknown"
  }
}

/** Whether a Restante edge answers on the port that is taken, in the clear or over TLS. */
async function isEdge(host: string, port: number): Promise<boolean> {
  const place = { ...asking, host: near(host), port }
  // Whose certificate it is does not matter: nothing is told to it, and it is asked for its name only.
  return (
    (await asked(get(place), isOurs)) || asked(getSecure({ ...place, rejectUnauthorized: false }), isOurs)
  )
}

function isOurs({ headers }: IncomingMessage): boolean {
  return headers["restante-version"] !== undefined
}

/** Whether who has that port sends clients to the other one by https. */
function redirectsTo(host: string, port: number, httpsPort: number): Promise<boolean> {
  return asked(get({ ...asking, host: near(host), port }), ({ statusCode, headers: { location = "" } }) => {
    if (statusCode !== 308 || !URL.canParse(location)) return false
    const target = new URL(location)
    return target.protocol === "https:" && Number(target.port || 443) === httpsPort
  })
}

const asking = { path: "/.restante/healthz", agent: false }

function near(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
}

function asked(request: ClientRequest, judge: (response: IncomingMessage) => boolean): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => request.destroy(), askMs)
  request.on("response", (response) => {
    resolve(judge(response))
    response.destroy()
  })
  request.on("error", () => resolve(false))
  request.on("close", () => {
    clearTimeout(timer)
    resolve(false)
  })
  return promise
}
