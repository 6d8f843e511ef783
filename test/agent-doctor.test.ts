// Every verdict of `proxy-in doctor`, produced by a real situation between it, a real edge and a private server.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer as createHttp2Server } from "node:http2"
import net, { type AddressInfo, type LookupFunction } from "node:net"
import { Secret, type Finding } from "@restante/protocol"
import { describe, expect, test as base } from "vitest"
import { parseUpstream } from "../packages/proxy-in/src/addresses.ts"
import { parseForwardProxy } from "../packages/proxy-in/src/attach/forward-proxy.ts"
import { doctor, type DoctorOptions } from "../packages/proxy-in/src/doctor/doctor.ts"
import { agentFindings, type AgentFindingCode } from "../packages/proxy-in/src/doctor/findings.ts"
import { Edge } from "../packages/proxy-out/src/edge.ts"
import { quietLog } from "../packages/proxy-out/test/support/log.ts"
import {
  authority,
  expiredCertificate,
  otherCertificate,
  otherKey,
  serverKey,
} from "./support/certificates.ts"
import { forwardProxy, type ForwardProxyOptions } from "./support/forward-proxy.ts"
import { httpFront, type HttpFrontOptions } from "./support/http-front.ts"
import { tlsFront, type TlsFrontOptions } from "./support/tls-front.ts"
import { closedPort, httpUpstream, type HttpUpstream, rawUpstream } from "./support/upstream.ts"

const token = new Secret("a-token-that-only-these-tests-use-0123456789")

interface World {
  readonly edgePort: number
  readonly upstream: HttpUpstream
}

interface Place extends World {
  readonly stack: AsyncDisposableStack
}

type Situation = (place: Place) => Promise<Partial<DoctorOptions>>

/** One edge and one private server for all. */
const test = base.extend<{ world: World }>({
  world: [
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    async ({}, use) => {
      await using upstream = await httpUpstream((_request, response) => response.end("here"))
      await using edge = new Edge({
        host: "127.0.0.1",
        port: 0,
        redisUrl: undefined,
        dispatch: "queue",
        holdMs: 10_000,
        timeoutMs: 20_000,
        maxQueue: 1000,
        token,
        log: quietLog,
      })
      const { port } = await edge.start()
      await use({ edgePort: port, upstream })
    },
    { scope: "file" },
  ],
})

const fine: Situation = () => Promise.resolve({})

function at(url: string, more: Partial<DoctorOptions> = {}): Partial<DoctorOptions> {
  return { external: new URL(url), ...more }
}

/** Between the doctor and the edge. */
function behind(options: Omit<HttpFrontOptions, "port">, more: Partial<DoctorOptions> = {}): Situation {
  return async ({ stack, edgePort }) =>
    at(stack.use(await httpFront({ port: edgePort, ...options })).url, more)
}

/** Something of its own at one endpoint, the edge at all others. */
function answering(endpoint: string, status: number, problem: string, version = "1"): Situation {
  return behind({
    instead: ({ url }, outgoing) => {
      if (url?.endsWith(endpoint) !== true) return false
      outgoing.writeHead(status, version === "" ? {} : { "Restante-Version": version })
      outgoing.end(JSON.stringify({ code: problem }))
      return true
    },
  })
}

function tls(options: Omit<TlsFrontOptions, "port">, more: Partial<DoctorOptions> = {}): Situation {
  return async ({ stack, edgePort }) => {
    const { port } = stack.use(await tlsFront({ port: edgePort, ...options }))
    return at(`https://localhost:${port}`, { externalCa: authority, ...more })
  }
}

/** An https edge, which is never reached. */
function proxied(options: ForwardProxyOptions, external = "https://edge.example"): Situation {
  return async ({ stack }) => {
    const { url } = stack.use(await forwardProxy(options))
    return at(external, { proxy: parseForwardProxy(url, "--proxy") })
  }
}

function proxyAt(url: string): Situation {
  return () => Promise.resolve({ proxy: parseForwardProxy(url, "--proxy") })
}

const throughProxy: Situation = async ({ stack }) => {
  const { url } = stack.use(await forwardProxy())
  return { proxy: parseForwardProxy(url, "HTTP_PROXY") }
}

/** Accepts connections and says nothing, or this. */
async function listener(
  stack: AsyncDisposableStack,
  onSocket: (socket: net.Socket) => void,
): Promise<number> {
  const sockets = new Set<net.Socket>()
  const quiet = net.createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    onSocket(socket)
  })
  quiet.listen(0, "127.0.0.1")
  await once(quiet, "listening")
  stack.defer(async () => {
    const closed = once(quiet, "close")
    quiet.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return (quiet.address() as AddressInfo).port
}

/** A port whose program stands still and whose queue of connections is full: nothing more is taken, and nobody is told. */
async function stuckPort(stack: AsyncDisposableStack): Promise<number> {
  const script =
    'require("net").createServer().listen(0,"127.0.0.1",1,function(){console.log(this.address().port)})'
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] })
  stack.defer(() => void child.kill("SIGKILL"))
  const [said] = (await once(child.stdout, "data")) as [Buffer]
  child.kill("SIGSTOP")
  const port = Number(said.toString())
  for (let filling = 0; filling < 8; filling++) {
    const socket = net.connect(port, "127.0.0.1")
    socket.on("error", () => undefined)
    stack.defer(() => void socket.destroy())
  }
  return port
}

function server(url: string): Promise<Partial<DoctorOptions>> {
  return Promise.resolve({ server: parseUpstream(url) })
}

function resolvingTo(...addresses: readonly string[]): LookupFunction {
  return (_name, _options, answer) =>
    answer(
      null,
      addresses.map((address) => ({ address, family: net.isIP(address) })),
    )
}

const nowhere = "255.255.255.255"

const situations = {
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
} satisfies Record<AgentFindingCode, Situation>

function realClock(): DoctorOptions["clock"] {
  return { now: () => Date.now(), random: Math.random }
}

async function found(world: World, situation: Situation): Promise<readonly Finding[]> {
  await using stack = new AsyncDisposableStack()
  const options: DoctorOptions = {
    server: parseUpstream(world.upstream.url),
    external: new URL(`http://127.0.0.1:${world.edgePort}`),
    externalCa: undefined,
    tunnel: "default",
    transport: "auto",
    token,
    pollMs: 300,
    clock: realClock(),
    patienceMs: 2000,
    ...(await situation({ ...world, stack })),
  }
  const findings: Finding[] = []
  for await (const finding of doctor(options)) findings.push(finding)
  return findings
}

describe.concurrent("each verdict", () => {
  test.for(Object.keys(situations) as AgentFindingCode[])(
    "%s is found where it is so",
    async (code, { world }) => {
      const findings = await found(world, situations[code])
      const { step, verdict } = agentFindings[code]
      expect(findings.find((finding) => finding.step === step)).toMatchObject({ code, verdict })
    },
  )

  test("all of them are well where all is well", async ({ world }) => {
    const findings = await found(world, fine)
    expect(findings.filter(({ verdict }) => verdict === "failed" || verdict === "warning")).toEqual([])
  })

  test(
    "a poll is watched until the edge itself ends it after 25 s",
    { timeout: 60_000 },
    async ({ world }) => {
      const findings = await found(world, () => Promise.resolve({ pollMs: undefined }))
      const poll = findings.find(({ step }) => step === "poll")
      expect(poll).toMatchObject({ code: "poll_held", message: expect.stringMatching(/\(2[456] s\)$/) })
    },
  )

  test("a private server that speaks HTTP/2 is asked in HTTP/2, and one that does not is no answer", async ({
    world,
  }) => {
    const speaks = createHttp2Server((_request, response) => response.writeHead(204).end())
    speaks.listen(0, "127.0.0.1")
    await once(speaks, "listening")
    const { port } = speaks.address() as AddressInfo
    const upstreamOf = async (url: string): Promise<Finding | undefined> =>
      (await found(world, () => server(url))).find(({ step }) => step === "upstream")
    const answered = await upstreamOf(`h2c://127.0.0.1:${port}`)
    speaks.close()
    const misled = await upstreamOf(world.upstream.url.replace("http:", "h2c:"))
    expect([answered?.code, misled?.verdict]).toEqual(["upstream_answers", "failed"])
  })

  test("where a poll is cut the number of seconds is told", async ({ world }) => {
    const poll = (await found(world, situations.poll_cut)).find(({ step }) => step === "poll")
    expect(poll?.message).toMatch(/\(after 1\.[3-9] s: /)
  })

  test("what needs a step that failed is skipped and says why, and what does not is done", async ({
    world,
  }) => {
    const findings = await found(world, situations.token_refused)
    expect(findings.slice(6).map(({ step, verdict }) => `${step} ${verdict}`)).toEqual([
      "token failed",
      "websocket skipped",
      "streaming skipped",
      "poll skipped",
      "upstream ok",
    ])
  })

  test("no session is left behind, and no tunnel is known afterwards", async ({ world }) => {
    await found(world, () => Promise.resolve({ tunnel: "only-looked-at" }))
    const status = await (await fetch(`http://127.0.0.1:${world.edgePort}/.restante/v1/status`)).text()
    expect(status).not.toContain("only-looked-at")
  })

  test("what is bad comes with what to do about it, and what is well does not", () => {
    for (const finding of Object.values(agentFindings)) {
      const bad = finding.verdict === "failed" || finding.verdict === "warning"
      expect("remedy" in finding).toBe(bad)
    }
  })
})
