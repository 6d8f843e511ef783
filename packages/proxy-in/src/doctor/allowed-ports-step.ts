// The step that asks the edge whether it would open the ports of `--tcp` and `--udp`, without having it open them.
import type { PortRequest, Report } from "@restante/protocol"
import { LinkError } from "../attach/link-error.ts"
import { withCheckSession } from "./check-session.ts"
import type { ExaminationRoom } from "./doctor.ts"
import type { AgentFindingCode } from "./findings.ts"

export async function allowedPortsStep({
  options,
  newClient,
}: ExaminationRoom): Promise<Report<AgentFindingCode>> {
  const { token, tunnel, ports = [] } = options
  if (token === undefined) throw new TypeError("no token")
  const asked: readonly PortRequest[] = ports.map(({ kind, name, port }) => ({ kind, name, port }))
  try {
    const known = await withCheckSession(
      { client: newClient(token), tunnel, ports: asked },
      ({ ports: would }) => Promise.resolve(would.length === asked.length),
    )
    if (!known) return { code: "ports_unknown" }
    return { code: "ports_allowed", detail: asked.map(({ kind, name }) => `${kind} ${name}`).join(", ") }
  } catch (reason) {
    const { code, detail } = LinkError.from(reason)
    if (code === "port_refused") return { code: "ports_refused", detail }
    throw reason
  }
}
