// What a person at the agent can do when a request did not get the upstream's answer.
import type { ResetCode } from "@restante/protocol"

export interface FailedPlace {
  /** The private server as a person writes it. */
  readonly upstream: string
  /** The option that leads there, where that is not `--server`: `--tcp 20022`. */
  readonly port?: string | undefined
}

/** One sentence. */
export function remedyOf(code: ResetCode, { upstream, port }: FailedPlace): string {
  const remedy = (port === undefined ? undefined : portRemedies[code]) ?? remedies[code]
  return remedy.replace("UPSTREAM", () => upstream).replace("OPTION", () => port ?? "--server")
}

/** Failures before any request could be sent: the private server itself is out of reach. */
export const unreachableCodes: ReadonlySet<ResetCode> = new Set<ResetCode>([
  "upstream_refused",
  "upstream_dns",
  "upstream_dns_timeout",
  "upstream_connect_timeout",
  "upstream_tls_certificate",
  "upstream_tls_protocol",
])

const ownFault = "This is a fault of proxy-in or proxy-out: see the log, and report it."

const remedies: Readonly<Record<ResetCode, string>> = {
  cancelled: "The client left. Nothing is to be done.",
  upstream_refused: "Nothing listens at UPSTREAM: start the server or change OPTION.",
  upstream_dns: "The name in UPSTREAM cannot be resolved: check the host in OPTION and this machine's DNS.",
  upstream_dns_timeout: "The DNS does not answer for UPSTREAM: check this machine's DNS.",
  upstream_connect_timeout:
    "UPSTREAM does not accept connections in time: check that it runs, its load, and a firewall.",
  upstream_tls_certificate:
    "The certificate of UPSTREAM is not trusted: give its CA with --ca-file, or use the name that the certificate has.",
  upstream_tls_protocol:
    "UPSTREAM does not speak TLS as expected: check whether it wants http:// or https://.",
  upstream_timeout: "UPSTREAM did not answer in time: look there, or raise --timeout at the edge.",
  upstream_read_timeout: "UPSTREAM stopped in the middle of an answer: look at its log.",
  upstream_terminated: "UPSTREAM closed the connection before it answered: look at its log.",
  upstream_incomplete: "UPSTREAM broke off in the middle of an answer: look at its log.",
  upstream_protocol:
    "What UPSTREAM answers is not valid HTTP: check that it is an HTTP server (for h2c:// and h2:// one of HTTP/2), and its port.",
  upstream_transfer_coding:
    "UPSTREAM answers with a transfer coding other than chunked: turn that off there.",
  upstream_body_size: "An answer of UPSTREAM is longer or shorter than it says: look at its log.",
  upstream_header_size:
    "The head of an answer of UPSTREAM is too large: look for cookies or fields that grow.",
  upgrade_failed: "UPSTREAM did not switch the protocol as asked: look at its log.",
  agent_stopping: "This agent is about to stop. Nothing is to be done.",
  agent_overloaded:
    "This agent ran out of connections: raise the limit of open files, or lower --concurrency.",
  agent_lost: "The session with the edge ended while the request ran. Nothing is to be done.",
  upgrade_limit: "More long-lived connections (WebSockets) are open than --max-upgrades allows: raise it.",
  request_rejected: "The request is not one for an origin server. Nothing is to be done here.",
  kind_unsupported:
    "The edge asked for something that this release does not know: bring both to the same release.",
  internal: ownFault,
}

/** What is another thing to do, or to be called, where bytes come in at a port instead of requests. */
const portRemedies: Readonly<Partial<Record<ResetCode, string>>> = {
  upstream_terminated: "UPSTREAM broke the connection off: look at its log.",
  upstream_incomplete: "UPSTREAM broke the connection off: look at its log.",
  agent_overloaded:
    "This agent ran out of connections: raise the limit of open files, or lower --max-connections.",
  agent_lost: "The session with the edge ended while the connection was open. Nothing is to be done.",
  request_rejected:
    "The edge passed on what came in at a port that this agent does not serve. Nothing is to be done here.",
}
