// Everything that `proxy-in doctor` may find, with what to do about it. docs/doctor.md shows this table, and a test has a real
// situation for every line of it.
import type { FindingTable } from "@restante/protocol"
import { linkErrorTable } from "../attach/link-error.ts"

/** One step for each port, named as the option says it: `--tcp 20022`. */
const tcpPort = "--tcp PORT"
const udpPort = "--udp PORT"

const proxyFindings = {
  proxy_none: { step: "proxy", verdict: "ok", says: "no proxy: straight to the edge" },
  proxy_passes: { step: "proxy", verdict: "ok", says: "the proxy lets us through" },
  proxy_name_not_found: failed("proxy", "its name cannot be resolved", linkErrorTable.proxy_name_not_found),
  proxy_refused: failed("proxy", "nothing listens there", linkErrorTable.proxy_refused),
  proxy_unreachable: failed("proxy", "it cannot be reached", linkErrorTable.proxy_unreachable),
  proxy_timeout: failed("proxy", "no answer in time", linkErrorTable.proxy_timeout),
  proxy_tls: failed("proxy", "no trusted TLS connection", linkErrorTable.proxy_tls),
  proxy_credentials: failed("proxy", "user or password refused", linkErrorTable.proxy_credentials),
  proxy_refuses: failed("proxy", "it does not let us through", linkErrorTable.proxy_refuses),
  proxy_cannot_reach: failed("proxy", "it cannot reach the edge", linkErrorTable.proxy_cannot_reach),
} as const satisfies FindingTable

const connectionFindings = {
  name_resolves: { step: "name", verdict: "ok", says: "the edge's name resolves" },
  name_literal: { step: "name", verdict: "skipped", says: "--external has an address, not a name" },
  name_by_proxy: { step: "name", verdict: "skipped", says: "the proxy resolves it" },
  name_not_found: failed("name", "the edge's name does not resolve", linkErrorTable.name_not_found),
  tcp_connects: { step: "tcp", verdict: "ok", says: "the edge's port can be reached" },
  tcp_by_proxy: { step: "tcp", verdict: "skipped", says: "the proxy connects" },
  tcp_partly: warning(
    "tcp",
    "some of the edge's addresses do not answer",
    "Connecting works, but may take longer: take those addresses out of the DNS, or have the edge listen there.",
  ),
  tcp_refused: failed("tcp", "nothing listens at the edge's address", linkErrorTable.refused),
  tcp_unreachable: failed("tcp", "the edge cannot be reached", linkErrorTable.unreachable),
  tcp_timeout: failed("tcp", "the edge's port does not answer", linkErrorTable.timeout),
  tls_trusted: { step: "tls", verdict: "ok", says: "the edge's certificate is trusted" },
  tls_near: { step: "tls", verdict: "skipped", says: "an http edge on this machine" },
  tls_none: warning(
    "tls",
    "token and requests cross the network unencrypted",
    "Put TLS before the edge and write https:// in --external.",
  ),
  tls_expires: warning(
    "tls",
    "the edge's certificate ends soon",
    "Have it renewed before: no agent can attach after that.",
  ),
  tls_expired: failed(
    "tls",
    "the edge's certificate is over",
    "Have it renewed, and check this machine's clock.",
  ),
  tls_name: failed(
    "tls",
    "the edge's certificate is for another name",
    "Write the certificate's name in --external, or give the edge a certificate for this one.",
  ),
  tls_untrusted: failed(
    "tls",
    "nobody we trust has signed the edge's certificate",
    "Give its authority with --external-ca-file; behind a proxy that opens TLS, that proxy's.",
  ),
  tls_client_certificate: failed(
    "tls",
    "our certificate is missing or refused",
    linkErrorTable.client_certificate,
  ),
  tls_not_spoken: failed("tls", "there is no TLS at the edge's port", linkErrorTable.tls_not_spoken),
} as const satisfies FindingTable

const edgeFindings = {
  edge_answers: { step: "edge", verdict: "ok", says: "a Restante edge of our version answers" },
  edge_version: failed("edge", "a Restante edge of another version answers", linkErrorTable.version),
  edge_wants_tls: failed("edge", "TLS is spoken there, and we do not", linkErrorTable.tls_required),
  edge_foreign: failed("edge", "what answers is no Restante edge", linkErrorTable.not_restante),
  edge_error: failed(
    "edge",
    "something before the edge answers with an error",
    "Look at what stands before the edge (a balancer, nginx): it does not reach proxy-out.",
  ),
  edge_silent: failed("edge", "no answer in time", linkErrorTable.timeout),
  edge_closed: failed(
    "edge",
    "the connection was closed without an answer",
    "Check that the port in --external is the edge's, and that http:// or https:// is right.",
  ),
  clock_agrees: { step: "clock", verdict: "ok", says: "our clock and the edge's agree" },
  clock_unknown: { step: "clock", verdict: "skipped", says: "the edge does not tell its time" },
  clock_off: warning(
    "clock",
    "our clock and the edge's differ",
    "Set both by NTP: certificates and logs depend on it.",
  ),
  token_accepted: { step: "token", verdict: "ok", says: "the token opens this tunnel" },
  token_missing: failed(
    "token",
    "there is no token",
    "Give --token-file FILE or set RESTANTE_TOKEN; proxy-out says at its start where its token is.",
  ),
  token_refused: failed("token", "the edge does not know this token", linkErrorTable.token),
  token_tunnel: failed("token", "the token does not open this tunnel", linkErrorTable.tunnel),
  token_route: failed("token", "the token does not allow a route of --route", linkErrorTable.route),
  token_route_taken: failed("token", "a route of --route is another tunnel's", linkErrorTable.route_taken),
  token_limited: failed("token", "too many wrong tokens came from this address", linkErrorTable.rate_limited),
  token_error: failed("token", "the edge could not be asked", linkErrorTable.edge_error),
  ports_allowed: { step: "ports", verdict: "ok", says: "the edge would open the ports that are asked for" },
  ports_refused: failed(
    "ports",
    "the edge would not open a port that is asked for",
    linkErrorTable.port_refused,
  ),
  ports_unknown: failed("ports", "the edge knows no ports", linkErrorTable.version),
} as const satisfies FindingTable

const carrierFindings = {
  websocket_works: { step: "websocket", verdict: "ok", says: "websockets work" },
  websocket_unwanted: { step: "websocket", verdict: "skipped", says: "--transport poll does without" },
  websocket_refused: warning(
    "websocket",
    "websockets do not work on this way",
    "Polling carries everything instead. For a websocket, let what stands between pass Upgrade, or CONNECT.",
  ),
  websocket_needed: failed(
    "websocket",
    "websockets do not work on this way, and --transport websocket wants one",
    "Leave --transport out: polling carries everything then.",
  ),
  streaming_both: { step: "streaming", verdict: "ok", says: "bodies stream both ways" },
  streaming_up: warning(
    "streaming",
    "answers are held back until they are whole",
    "Short polls are used, with more requests. In nginx: proxy_buffering off.",
  ),
  streaming_down: warning(
    "streaming",
    "request bodies are held back until they are whole",
    "Short pushes are used, with more requests. In nginx: proxy_request_buffering off.",
  ),
  streaming_none: warning(
    "streaming",
    "bodies are held back until they are whole, both ways",
    "Short polls and pushes are used, with more requests. In nginx: proxy_buffering off and proxy_request_buffering off.",
  ),
  poll_held: { step: "poll", verdict: "ok", says: "a poll may wait" },
  poll_cut: warning(
    "poll",
    "something between cuts polls that wait",
    "It works, with more requests. Raise that timeout to 60 s or more (nginx: proxy_read_timeout).",
  ),
  poll_fails: failed(
    "poll",
    "a poll fails at once",
    "Let what stands between pass POST requests below /.restante/ to the edge.",
  ),
} as const satisfies FindingTable

const upstreamFindings = {
  upstream_answers: { step: "upstream", verdict: "ok", says: "the private server answers" },
  upstream_error: warning(
    "upstream",
    "the private server answers with an error",
    "Look into its log: visitors will see the same.",
  ),
  upstream_name: failed(
    "upstream",
    "its name does not resolve",
    "Check the host in --server and this machine's DNS.",
  ),
  upstream_refused: failed(
    "upstream",
    "nothing listens there",
    "Start the private server, or check the port in --server.",
  ),
  upstream_socket: failed(
    "upstream",
    "its socket cannot be used",
    "Check the path in --server, that the private server runs, and who may open the socket.",
  ),
  upstream_unreachable: failed(
    "upstream",
    "it cannot be reached",
    "Check the address in --server and the network.",
  ),
  upstream_timeout: failed("upstream", "no answer in time", "Check that the private server is not stuck."),
  upstream_tls: failed(
    "upstream",
    "no trusted TLS connection",
    "Give its authority with --ca-file, write the certificate's name in --server, or http:// if it has no TLS.",
  ),
  upstream_not_http: failed(
    "upstream",
    "what answers does not speak HTTP",
    "Check the port in --server, and whether it wants https://.",
  ),
  upstream_closed: failed(
    "upstream",
    "it closes the connection without an answer",
    "Look into its log, and check whether it wants https://.",
  ),
} as const satisfies FindingTable

const portFindings = {
  tcp_port_connects: { step: tcpPort, verdict: "ok", says: "something listens there" },
  tcp_port_name: failed(
    tcpPort,
    "its name does not resolve",
    `Check the host in ${tcpPort} and this machine's DNS.`,
  ),
  tcp_port_refused: failed(
    tcpPort,
    "nothing listens there",
    `Start the private server, or change ${tcpPort}.`,
  ),
  tcp_port_socket: failed(
    tcpPort,
    "its socket cannot be used",
    `Check the path in ${tcpPort}, that the private server runs, and who may open the socket.`,
  ),
  tcp_port_unreachable: failed(
    tcpPort,
    "it cannot be reached",
    `Check the address in ${tcpPort} and the network.`,
  ),
  tcp_port_timeout: failed(
    tcpPort,
    "no connection in time",
    `Check that the private server is not stuck, a firewall, and the address in ${tcpPort}.`,
  ),
  udp_port_answers: { step: udpPort, verdict: "ok", says: "something answers there" },
  udp_port_silent: {
    step: udpPort,
    verdict: "ok",
    says: "nothing refuses datagrams there: that somebody hears them is not said",
  },
  udp_port_name: failed(
    udpPort,
    "its name does not resolve",
    `Check the host in ${udpPort} and this machine's DNS.`,
  ),
  udp_port_refused: failed(
    udpPort,
    "nothing listens there",
    `Start the private server, or change ${udpPort}.`,
  ),
  udp_port_unreachable: failed(
    udpPort,
    "it cannot be reached",
    `Check the address in ${udpPort} and the network.`,
  ),
} as const satisfies FindingTable

export const agentFindings = {
  ...proxyFindings,
  ...connectionFindings,
  ...edgeFindings,
  ...carrierFindings,
  ...upstreamFindings,
  ...portFindings,
} as const satisfies FindingTable

export type AgentFindingCode = keyof typeof agentFindings

interface Bad<Verdict extends "failed" | "warning"> {
  readonly step: string
  readonly verdict: Verdict
  readonly says: string
  readonly remedy: string
}

function failed(step: string, says: string, remedy: string): Bad<"failed"> {
  return { step, verdict: "failed", says, remedy }
}

function warning(step: string, says: string, remedy: string): Bad<"warning"> {
  return { step, verdict: "warning", says, remedy }
}
