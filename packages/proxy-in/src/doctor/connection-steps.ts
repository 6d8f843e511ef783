// The steps down to an encrypted connection: proxy, name, TCP, TLS.
import { lookup as systemLookup } from "node:dns"
import type { LookupAddress } from "node:dns"
import net from "node:net"
import { TLSSocket } from "node:tls"
import { Secret, type Report } from "@restante/protocol"
import { connected } from "../attach/edge-dialer.ts"
import { proxyText } from "../attach/forward-proxy.ts"
import { LinkError } from "../attach/link-error.ts"
import { edgePlace } from "../attach/place.ts"
import { proxyRefusal } from "../attach/proxy-tunnel.ts"
import type { ExaminationRoom, PatientOptions } from "./doctor.ts"
import { agentFindings, type AgentFindingCode } from "./findings.ts"

type AgentReport = Report<AgentFindingCode>

export async function proxyStep({ options, newClient }: ExaminationRoom): Promise<AgentReport> {
  const { proxy, external } = options
  if (proxy === undefined) return { code: "proxy_none" }
  const client = newClient(nobody)
  const passes: AgentReport = { code: "proxy_passes", detail: `${proxyText(proxy)} of ${proxy.namedBy}` }
  try {
    if (external.protocol === "https:") (await client.dialer.dial("requests")).destroy()
    else {
      const { status, version } = await client.look(options.patienceMs)
      if (version === undefined && (status === 407 || status === 403)) throw proxyRefusal(status)
    }
    return passes
  } catch (reason) {
    const { code, detail } = LinkError.from(reason)
    // What is wrong behind the proxy is for the steps that look there.
    return isProxyCode(code) ? { code, detail } : passes
  }
}

export async function nameStep({ options }: ExaminationRoom): Promise<AgentReport> {
  const { host } = edgePlace(options.external)
  if (options.proxy !== undefined) return { code: "name_by_proxy" }
  if (net.isIP(host) !== 0) return { code: "name_literal" }
  try {
    const addresses = await addressesOf(options)
    return { code: "name_resolves", detail: addresses.map(({ address }) => address).join(", ") }
  } catch (reason) {
    return { code: "name_not_found", detail: LinkError.from(reason).detail }
  }
}

export async function tcpStep({ options }: ExaminationRoom): Promise<AgentReport> {
  if (options.proxy !== undefined) return { code: "tcp_by_proxy" }
  const { port } = edgePlace(options.external)
  const tries = await Promise.all(
    (await addressesOf(options)).map(async ({ address }) => {
      const begunAt = performance.now()
      try {
        const signal = AbortSignal.timeout(options.patienceMs)
        const socket = await connected({ host: address, port }, { signal })
        socket.destroy()
        return { address, tookMs: performance.now() - begunAt }
      } catch (reason) {
        return { address, error: LinkError.from(reason) }
      }
    }),
  )
  const good = tries.filter(({ error }) => error === undefined)
  const bad = tries.filter(({ error }) => error !== undefined)
  const detail = (some: typeof tries): string =>
    some
      .map(({ address, tookMs, error }) => `${address}: ${error?.detail ?? `${tookMs?.toFixed(1)} ms`}`)
      .join(", ")
  if (bad.length === 0) return { code: "tcp_connects", detail: detail(good) }
  if (good.length > 0) return { code: "tcp_partly", detail: detail(bad) }
  const code = bad[0]?.error?.code
  return {
    code: code === "timeout" ? "tcp_timeout" : code === "refused" ? "tcp_refused" : "tcp_unreachable",
    detail: detail(bad),
  }
}

export async function tlsStep({ options, newClient }: ExaminationRoom): Promise<AgentReport> {
  const { external, clock } = options
  if (external.protocol === "http:") {
    const near = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(external.hostname)
    return { code: near ? "tls_near" : "tls_none" }
  }
  const client = newClient(nobody)
  try {
    const socket = await client.dialer.dial("requests")
    if (!(socket instanceof TLSSocket)) return { code: "tls_not_spoken" }
    const { issuer, valid_to } = socket.getPeerCertificate()
    socket.destroy()
    // An edge that refuses our certificate says so only when it is asked something (RFC 8446 section 4.4.2.4).
    await client.look(options.patienceMs).catch((reason: unknown) => {
      if (LinkError.from(reason).code === "client_certificate") throw reason
    })
    const daysLeft = Math.floor((Date.parse(valid_to) - clock.now()) / 86_400_000)
    const detail = `by ${oneOf(issuer.CN ?? issuer.O) ?? "an unnamed issuer"}, until ${new Date(valid_to).toISOString().slice(0, 10)}`
    return { code: daysLeft < leastDays ? "tls_expires" : "tls_trusted", detail }
  } catch (reason) {
    const { code, detail } = LinkError.from(reason)
    return { code: code === "client_certificate" ? "tls_client_certificate" : tlsCode(detail), detail }
  }
}

/** Renewals usually come 30 days before the end: at 14 something has gone wrong. */
const leastDays = 14
/** Where nobody asks for the token. */
const nobody = new Secret("nobody")

function tlsCode(detail: string): AgentFindingCode {
  if (detail === "CERT_HAS_EXPIRED") return "tls_expired"
  if (detail === "ERR_TLS_CERT_ALTNAME_INVALID") return "tls_name"
  return /CERT|UNABLE_TO_/.test(detail) ? "tls_untrusted" : "tls_not_spoken"
}

function isProxyCode(code: string): code is AgentFindingCode {
  return code.startsWith("proxy_") && code in agentFindings
}

function oneOf(name: string | string[] | undefined): string | undefined {
  return Array.isArray(name) ? name[0] : name
}

function addressesOf({ external, lookup = systemLookup }: PatientOptions): Promise<readonly LookupAddress[]> {
  const { host } = edgePlace(external)
  const family = net.isIP(host)
  if (family !== 0) return Promise.resolve([{ address: host, family }])
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error)
      else resolve(typeof found === "string" ? [{ address: found, family: net.isIP(found) }] : found)
    })
  })
}
