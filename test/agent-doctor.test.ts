// Every verdict of `proxy-in doctor`, produced by a real situation between it, a real edge and a private server.
import { once } from "node:events"
import { createServer as createHttp2Server } from "node:http2"
import type { AddressInfo } from "node:net"
import type { Finding } from "@restante/protocol"
import { describe, expect, test as base } from "vitest"
import { parseUpstream } from "../packages/proxy-in/src/addresses.ts"
import { doctor, type DoctorOptions } from "../packages/proxy-in/src/doctor/doctor.ts"
import { agentFindings, type AgentFindingCode } from "../packages/proxy-in/src/doctor/findings.ts"
import { parseTcpArgument, parseUdpArgument, portMappings } from "../packages/proxy-in/src/ports.ts"
import { Edge } from "../packages/proxy-out/src/edge.ts"
import { quietLog } from "../packages/proxy-out/test/support/log.ts"
import {
  fine,
  proxyAt,
  realClock,
  server,
  token,
  type Situation,
  type World,
} from "./support/doctor-places.ts"
import { situations } from "./support/doctor-situations.ts"
import { closedPort, httpUpstream } from "./support/upstream.ts"

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
        ports: { tcp: [{ first: 20_000, last: 20_999 }], udp: [{ first: 20_000, last: 20_999 }] },
        log: quietLog,
      })
      const { port } = await edge.start()
      await use({ edgePort: port, upstream })
    },
    { scope: "file" },
  ],
})

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
      const name = step.replace("PORT", "auto")
      expect(findings.find((finding) => finding.step === name)).toMatchObject({ code, verdict })
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

  test("each port has a step of its own, and its option stands in the remedy", async ({ world }) => {
    const nobody = await closedPort()
    const ports = portMappings([
      parseTcpArgument(`20022=127.0.0.1:${nobody}`),
      parseTcpArgument(`auto=127.0.0.1:${world.upstream.port}`),
      parseUdpArgument(`20053=no-such-server.invalid:53`),
    ])
    const findings = await found(world, () => Promise.resolve({ server: undefined, ports }))
    expect(findings.slice(11).map(({ step, verdict, remedy }) => [step, verdict, remedy])).toEqual([
      ["--tcp 20022", "failed", "Start the private server, or change --tcp 20022."],
      ["--tcp auto", "ok", undefined],
      ["--udp 20053", "failed", "Check the host in --udp 20053 and this machine's DNS."],
    ])
  })

  test("a private server that speaks no TLS is a finding about its TLS", async ({ world }) => {
    const findings = await found(world, () => server(`https://127.0.0.1:${world.upstream.port}`))
    expect(findings.find(({ step }) => step === "upstream")).toMatchObject({ code: "upstream_tls" })
  })

  test("a forward proxy that speaks no TLS is a finding about its TLS", async ({ world }) => {
    const findings = await found(world, proxyAt(`https://127.0.0.1:${world.upstream.port}`))
    expect(findings.find(({ step }) => step === "proxy")).toMatchObject({ code: "proxy_tls" })
  })

  test("no session is left behind, no port is open, and no tunnel is known afterwards", async ({ world }) => {
    const ports = portMappings([parseTcpArgument(`auto=127.0.0.1:${world.upstream.port}`)])
    await found(world, () => Promise.resolve({ tunnel: "only-looked-at", ports }))
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
