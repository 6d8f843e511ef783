// The steps that ask the edge who it is, what time it has, and whether it takes our token.
import { protocolVersion, Secret, type Report } from "@restante/protocol"
import type { EdgeClient } from "../attach/edge-client.ts"
import { LinkError } from "../attach/link-error.ts"
import type { ExaminationRoom } from "./doctor.ts"
import type { AgentFindingCode } from "./findings.ts"
import { withCheckSession } from "./check-session.ts"

type AgentReport = Report<AgentFindingCode>

export async function edgeStep({ options, newClient }: ExaminationRoom): Promise<AgentReport> {
  try {
    const begunAt = performance.now()
    const { status, version, wantsTls } = await newClient(nobody).look(options.patienceMs)
    const detail = `version ${version}, ${(performance.now() - begunAt).toFixed(1)} ms`
    if (version === String(protocolVersion)) return { code: "edge_answers", detail }
    if (wantsTls) return { code: "edge_wants_tls", detail: `status ${status}` }
    if (version !== undefined) return { code: "edge_version", detail }
    return { code: status >= 500 ? "edge_error" : "edge_foreign", detail: `status ${status}` }
  } catch (reason) {
    const { code, detail } = LinkError.from(reason)
    if (code === "timeout") return { code: "edge_silent", detail }
    return { code: code === "not_restante" ? "edge_foreign" : "edge_closed", detail }
  }
}

export async function clockStep({ options, newClient }: ExaminationRoom): Promise<AgentReport> {
  const before = options.clock.now()
  const date = await dateOf(newClient(nobody), options.patienceMs)
  if (date === undefined) return { code: "clock_unknown" }
  const ours = (before + options.clock.now()) / 2
  const aheadSeconds = Math.round((ours - date) / 1000)
  if (Math.abs(aheadSeconds) <= mostSeconds) return { code: "clock_agrees" }
  return {
    code: "clock_off",
    detail: `ours is ${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? "ahead" : "behind"}`,
  }
}

export async function tokenStep({ options, newClient }: ExaminationRoom): Promise<AgentReport> {
  const { token, tunnel, routes } = options
  if (token === undefined) return { code: "token_missing" }
  try {
    await withCheckSession({ client: newClient(token), tunnel, routes }, () => Promise.resolve())
    return { code: "token_accepted", detail: `tunnel ${tunnel}` }
  } catch (reason) {
    const { code, detail } = LinkError.from(reason)
    if (code === "token") return { code: "token_refused", detail }
    if (code === "rate_limited") return { code: "token_limited", detail }
    if (code === "route") return { code: "token_route", detail }
    if (code === "route_taken") return { code: "token_route_taken", detail }
    return { code: code === "tunnel" ? "token_tunnel" : "token_error", detail }
  }
}

const mostSeconds = 60
/** The health page asks nobody for a token. */
const nobody = new Secret("nobody")

async function dateOf(client: EdgeClient, patienceMs: number): Promise<number | undefined> {
  const { date } = await client.look(patienceMs).catch(() => ({ date: undefined }))
  const at = Date.parse(date ?? "")
  return Number.isNaN(at) ? undefined : at
}
