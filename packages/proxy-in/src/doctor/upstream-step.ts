// The step that asks the private server for its first page, as an agent would reach it.
import { request as plainRequest } from "node:http"
import { connect } from "node:http2"
import { request as secureRequest } from "node:https"
import { systemCode, type Report } from "@restante/protocol"
import { upstreamText } from "../addresses.ts"
import { LinkError } from "../attach/link-error.ts"
import type { UpstreamAddress } from "../agent-options.ts"
import type { AgentFindingCode } from "./findings.ts"

type AgentReport = Report<AgentFindingCode>

export async function upstreamStep(server: UpstreamAddress, patienceMs: number): Promise<AgentReport> {
  const begunAt = performance.now()
  const asked =
    server.kind === "tcp" && server.http2 === true
      ? askOverHttp2(server, patienceMs)
      : askOverHttp1(server, patienceMs)
  try {
    const status = await asked.status
    const detail = `${upstreamText(server)}: status ${status}, ${(performance.now() - begunAt).toFixed(1)} ms`
    return { code: status >= 500 ? "upstream_error" : "upstream_answers", detail }
  } catch (reason) {
    const { code, detail: known } = LinkError.from(reason)
    const detail = systemCode(reason) ?? known
    const where = detail === "" ? upstreamText(server) : `${upstreamText(server)}: ${detail}`
    if (server.kind === "unix" && socketCodes.has(detail)) return { code: "upstream_socket", detail: where }
    return { code: upstreamCodes[code] ?? "upstream_closed", detail: where }
  } finally {
    asked.end()
  }
}

interface Asked {
  readonly status: Promise<number>
  /** Closes the connection, whatever has become of it. */
  end(): void
}

function askOverHttp1(server: UpstreamAddress, patienceMs: number): Asked {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const common = {
    path: `${server.basePath}/`,
    signal: AbortSignal.timeout(patienceMs),
    agent: false,
  } as const
  const request =
    server.kind === "unix"
      ? plainRequest({ ...common, socketPath: server.path, headers: { host: "localhost" } })
      : server.tls
        ? secureRequest({ ...common, host: server.host, port: server.port, ca: server.ca })
        : plainRequest({ ...common, host: server.host, port: server.port })
  request.on("response", ({ statusCode = 0 }) => resolve(statusCode))
  request.on("error", reject)
  request.end()
  return { status: promise, end: () => request.destroy() }
}

function askOverHttp2(server: Extract<UpstreamAddress, { kind: "tcp" }>, patienceMs: number): Asked {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const { host, port, tls, ca, basePath } = server
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`
  const session = connect(`${tls ? "https" : "http"}://${authority}`, ca === undefined ? {} : { ca })
  session.on("error", reject)
  const request = session.request({ ":path": `${basePath}/` }, { signal: AbortSignal.timeout(patienceMs) })
  request.on("response", (fields) => resolve(Number(fields[":status"])))
  request.on("error", reject)
  request.on("close", () => reject(new Error("closed without an answer")))
  return { status: promise, end: () => session.destroy() }
}

const socketCodes: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "ECONNREFUSED", "ENOTSOCK"])

/** What is known of the way to an edge holds for any server. */
const upstreamCodes: Readonly<Partial<Record<LinkError["code"], AgentFindingCode>>> = {
  name_not_found: "upstream_name",
  refused: "upstream_refused",
  unreachable: "upstream_unreachable",
  timeout: "upstream_timeout",
  tls: "upstream_tls",
  tls_not_spoken: "upstream_tls",
  client_certificate: "upstream_tls",
  not_restante: "upstream_not_http",
}
