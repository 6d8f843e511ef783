// For every verdict of `proxy-in doctor` a real situation that produces it.
import { Secret } from "@restante/protocol"
import { parseForwardProxy } from "../../packages/proxy-in/src/attach/forward-proxy.ts"
import type { AgentFindingCode } from "../../packages/proxy-in/src/doctor/findings.ts"
import { expiredCertificate, otherCertificate, otherKey, serverKey } from "./certificates.ts"
import {
  answering,
  at,
  behind,
  fine,
  listener,
  nowhere,
  proxied,
  proxyAt,
  realClock,
  resolvingTo,
  server,
  stuckPort,
  throughProxy,
  tls,
  token,
  type Situation,
} from "./doctor-places.ts"
import { portSituations } from "./doctor-port-situations.ts"
import { startSecureEdge } from "./http2-pair.ts"
import { tlsFront } from "./tls-front.ts"
import { closedPort, httpUpstream, rawUpstream } from "./upstream.ts"

export const situations = {
  proxy_none: fine,
  proxy_passes: throughProxy,
  proxy_name_not_found: proxyAt("http://no-such-proxy.invalid:3128"),
  proxy_refused: async () => ({ proxy: parseForwardProxy(`127.0.0.1:${await closedPort()}`, "--proxy") }),
  proxy_unreachable: proxyAt(`http://${nowhere}:3128`),
  proxy_timeout: async ({ stack }) => {
    const port = await listener(stack, (socket) => socket.resume())
    return at("https://edge.example", { proxy: parseForwardProxy(`127.0.0.1:${port}`, "--proxy") })
  },
  proxy_tls: proxied({ tls: true }),
  proxy_credentials: proxied({ credentials: { username: "jane", password: "right" } }, "http://127.0.0.1:9"),
  proxy_refuses: proxied({ refusesConnect: 403 }),
  proxy_cannot_reach: proxied({ refusesConnect: 502 }),
  name_resolves: ({ edgePort }) => Promise.resolve(at(`http://localhost:${edgePort}`)),
  name_literal: fine,
  name_by_proxy: throughProxy,
  name_not_found: () => Promise.resolve(at("http://no-such-edge.invalid")),
  tcp_connects: fine,
  tcp_by_proxy: throughProxy,
  tcp_partly: ({ edgePort }) =>
    Promise.resolve(at(`http://both.test:${edgePort}`, { lookup: resolvingTo("::1", "127.0.0.1") })),
  tcp_refused: async () => at(`http://127.0.0.1:${await closedPort()}`),
  tcp_unreachable: () => Promise.resolve(at(`http://${nowhere}:80`)),
  tcp_timeout: async ({ stack }) => at(`http://127.0.0.1:${await stuckPort(stack)}`),
  tls_trusted: tls({}),
  tls_near: fine,
  tls_none: ({ edgePort }) =>
    Promise.resolve(at(`http://edge.test:${edgePort}`, { lookup: resolvingTo("127.0.0.1") })),
  tls_expires: tls({}, { clock: { ...realClock(), now: () => Date.parse("2126-07-15") } }),
  tls_expired: tls({ certificate: { cert: expiredCertificate, key: serverKey } }),
  tls_name: tls({ certificate: { cert: otherCertificate, key: otherKey } }),
  tls_untrusted: tls({}, { externalCa: undefined }),
  tls_client_certificate: tls({ asksClients: true }),
  tls_not_spoken: ({ edgePort }) => Promise.resolve(at(`https://127.0.0.1:${edgePort}`)),
  edge_answers: fine,
  edge_version: answering("/healthz", 200, "", "2"),
  edge_wants_tls: async ({ stack }) => {
    const { edge } = stack.use(await startSecureEdge())
    return at(`http://127.0.0.1:${edge.port}`)
  },
  edge_foreign: answering("/healthz", 200, "", ""),
  edge_error: answering("/healthz", 502, "", ""),
  edge_silent: async ({ stack }) =>
    at(`http://127.0.0.1:${await listener(stack, (socket) => socket.resume())}`),
  edge_closed: async ({ stack }) =>
    at(`http://127.0.0.1:${await listener(stack, (socket) => socket.once("data", () => socket.end()))}`),
  clock_agrees: fine,
  clock_unknown: behind({
    instead: ({ url }, outgoing) => {
      outgoing.sendDate = false
      if (url?.endsWith("/healthz") === true) outgoing.setHeader("Restante-Version", "1").end()
      return url?.endsWith("/healthz") === true
    },
  }),
  clock_off: () => Promise.resolve({ clock: { ...realClock(), now: () => Date.now() - 3_600_000 } }),
  token_accepted: fine,
  token_missing: () => Promise.resolve({ token: undefined }),
  token_refused: () => Promise.resolve({ token: new Secret("not-the-token-of-this-edge") }),
  token_tunnel: answering("/attach", 403, "tunnel_refused"),
  token_route: answering("/attach", 403, "route_refused"),
  token_route_taken: async ({ edgePort }) => {
    const hello = { protocol: 1, tunnel: "holder", instance: "holder", concurrency: 1, software: "a test" }
    await fetch(`http://127.0.0.1:${edgePort}/.restante/v1/attach`, {
      method: "POST",
      headers: { authorization: `Bearer ${token.reveal()}` },
      body: JSON.stringify({ ...hello, routes: ["held.example"] }),
    })
    return { tunnel: "other", routes: ["held.example"] }
  },
  token_limited: answering("/attach", 429, "rate_limited"),
  token_error: answering("/attach", 500, "broken"),
  websocket_works: fine,
  websocket_unwanted: () => Promise.resolve({ transport: "poll" }),
  websocket_refused: behind({}),
  websocket_needed: behind({}, { transport: "websocket" }),
  streaming_both: fine,
  streaming_up: behind({ holdsAnswers: true }),
  streaming_down: behind({ holdsRequests: true }),
  streaming_none: behind({ holdsAnswers: true, holdsRequests: true }),
  poll_held: fine,
  poll_cut: behind({ cutAfterMs: 1300 }, { pollMs: 5000 }),
  poll_fails: answering("/poll", 403, "", ""),
  upstream_answers: fine,
  upstream_error: async ({ stack }) => {
    const broken = stack.use(await httpUpstream((_request, response) => response.writeHead(500).end()))
    return server(broken.url)
  },
  upstream_name: () => server("http://no-such-server.invalid"),
  upstream_refused: async () => server(`http://127.0.0.1:${await closedPort()}`),
  upstream_socket: () => server("unix:/no/such/place/app.sock"),
  upstream_unreachable: () => server(`http://${nowhere}:80`),
  upstream_timeout: async ({ stack }) =>
    server(`http://127.0.0.1:${await listener(stack, (socket) => socket.resume())}`),
  upstream_tls: async ({ stack, upstream }) =>
    server(`https://localhost:${stack.use(await tlsFront({ port: upstream.port })).port}`),
  upstream_not_http: async ({ stack }) =>
    server(stack.use(await rawUpstream((socket) => socket.end("220 mail.example ESMTP\r\n"))).url),
  upstream_closed: async ({ stack }) => server(stack.use(await rawUpstream((socket) => socket.end())).url),
  ...portSituations,
} satisfies Record<AgentFindingCode, Situation>
