// Every verdict of `proxy-out doctor`, produced by a situation: real ports, files and Redis; only what this machine cannot be
// brought to (a full disk, a user without rights) is played.
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer as createHttpServer } from "node:http"
import net, { type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Finding } from "@restante/protocol"
import { expect, test } from "vitest"
import {
  expiredCertificate,
  otherCertificate,
  serverCertificate,
  serverKey,
} from "../../../../test/support/certificates.ts"
import { startRedis } from "../../../../test/support/redis.ts"
import { tlsFront } from "../../../../test/support/tls-front.ts"
import { closedPort } from "../../../../test/support/upstream.ts"
import { doctor, type DoctorOptions, type Machine } from "../../src/doctor/doctor.ts"
import { edgeFindings, type EdgeFindingCode } from "../../src/doctor/findings.ts"
import { openFilesOf, thisMachine } from "../../src/doctor/machine.ts"
import type { PortRange } from "../../src/ports/port-range.ts"
import { Certificates } from "../../src/ingress/tls/certificates.ts"
import { quietLog } from "../support/log.ts"

const longToken = "a-token-that-only-these-tests-use-0123456789"

type Situation = (stack: AsyncDisposableStack, folder: string) => Promise<Partial<DoctorOptions>>

async function listening(stack: AsyncDisposableStack, server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  stack.defer(async () => {
    server.close()
    await once(server, "close")
  })
  return (server.address() as AddressInfo).port
}

async function redis(stack: AsyncDisposableStack, ...args: readonly string[]): Promise<{ redisUrl: string }> {
  return { redisUrl: stack.use(await startRedis({ args })).url }
}

/** A real Redis behind a relay that changes or delays what it says. */
async function relayedRedis(
  stack: AsyncDisposableStack,
  pass: (bytes: Buffer, on: (bytes: Buffer | string) => void) => void,
): Promise<{ redisUrl: string }> {
  const { port } = stack.use(await startRedis())
  const relay = net.createServer((near) => {
    const far = net.connect(port, "127.0.0.1")
    near.pipe(far)
    far.on("data", (bytes) => pass(bytes, (changed) => near.writable && near.write(changed)))
    far.on("error", () => near.destroy())
    near.on("error", () => far.destroy())
    far.on("close", () => near.destroy())
  })
  return { redisUrl: `redis://127.0.0.1:${await listening(stack, relay)}` }
}

function sayingVersion(version: string): Situation {
  return (stack) =>
    relayedRedis(stack, (bytes, on) =>
      // As long as before: the answer says its length. A Redis of two digits in its minor version is none of these.
      on(
        bytes
          .toString("latin1")
          .replace(/(redis_version:)\d+\.\d+/, (all, name: string) =>
            `${name}${version}`.padEnd(all.length, "0"),
          ),
      ),
    )
}

function machineThat(fails: Partial<Machine>): Situation {
  return () => Promise.resolve({ machine: { ...thisMachine, ...fails } })
}

function rejecting(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(code), { code }))
}

const situations = {
  port_free: async () => ({ port: await closedPort() }),
  port_ours: async (stack) => {
    const edge = createHttpServer((_request, response) => {
      response.setHeader("Restante-Version", "1").setHeader("Connection", "close").end()
    })
    return { port: await listening(stack, edge) }
  },
  port_taken: async (stack) => {
    const other = createHttpServer((_request, response) =>
      response.setHeader("Connection", "close").end("hello"),
    )
    return { port: await listening(stack, other) }
  },
  port_denied: machineThat({ tryListen: rejecting("EACCES") }),
  port_address: () => Promise.resolve({ host: "192.0.2.1" }),
  redirect_free: async () => ({ redirectPort: await closedPort() }),
  redirect_ours: (stack) => redirecting(stack, { "Restante-Version": "1" }),
  redirect_taken: (stack) => redirecting(stack, {}),
  redirect_denied: async (stack) => ({
    redirectPort: 80,
    ...(await machineThat({ tryListen: rejecting("EACCES") })(stack, "")),
  }),
  redirect_address: () => Promise.resolve({ host: "192.0.2.1", redirectPort: 0 }),
  tcp_ports_allowed: async () => ({ portRanges: { tcp: portsFrom(await closedPort()), udp: [] } }),
  tcp_ports_denied: withoutRight({ tcp: portsFrom(22), udp: [] }),
  tcp_ports_address: () =>
    Promise.resolve({ host: "192.0.2.1", portRanges: { tcp: portsFrom(20_000), udp: [] } }),
  udp_ports_allowed: async () => ({ portRanges: { tcp: [], udp: portsFrom(await closedPort()) } }),
  udp_ports_denied: withoutRight({ tcp: [], udp: portsFrom(53) }),
  udp_ports_address: () =>
    Promise.resolve({ host: "192.0.2.1", portRanges: { tcp: [], udp: portsFrom(20_000) } }),
  tls_none: () => Promise.resolve({}),
  tls_ready: certificates(serverCertificate),
  tls_ending: certificates(expiredCertificate),
  tls_unusable: certificates(otherCertificate),
  redis_none: () => Promise.resolve({ redisUrl: undefined }),
  redis_answers: (stack) => redis(stack),
  redis_aging: sayingVersion("6.0"),
  redis_old: sayingVersion("4.0"),
  redis_unreachable: async () => ({ redisUrl: `redis://127.0.0.1:${await closedPort()}` }),
  redis_password: (stack) => redis(stack, "--requirepass", "a-password-of-redis"),
  redis_tls: async (stack) => {
    const { port } = stack.use(await startRedis())
    const front = stack.use(await tlsFront({ port }))
    return { redisUrl: `rediss://localhost:${front.port}` }
  },
  policy_keeps: (stack) => redis(stack, "--maxmemory-policy", "noeviction"),
  policy_evicts: (stack) => redis(stack, "--maxmemory-policy", "allkeys-lru"),
  policy_unknown: (stack) => redis(stack, "--rename-command", "CONFIG", ""),
  latency_low: (stack) => redis(stack),
  latency_high: (stack) => relayedRedis(stack, (bytes, on) => void setTimeout(() => on(bytes), 15)),
  data_ready: (_stack, folder) => Promise.resolve({ dataDir: folder }),
  data_new: (_stack, folder) => Promise.resolve({ dataDir: join(folder, "not", "yet", "there") }),
  data_unusable: async (_stack, folder) => {
    await writeFile(join(folder, "file"), "")
    return { dataDir: join(folder, "file") }
  },
  data_full: machineThat({ freeBytes: () => Promise.resolve(1_000_000) }),
  token_good: () => Promise.resolve({ environment: { RESTANTE_TOKEN: longToken } }),
  token_new: () => Promise.resolve({}),
  token_named: () => Promise.resolve({ defaultToken: false }),
  token_weak: () => Promise.resolve({ environment: { RESTANTE_TOKEN: "guess-me" } }),
  token_open: async (_stack, folder) => {
    const tokenFile = join(folder, "token")
    await writeFile(tokenFile, longToken, { mode: 0o644 })
    return { tokenFile }
  },
  token_unusable: async (_stack, folder) => {
    await writeFile(join(folder, "token"), "two\nlines")
    return { dataDir: folder }
  },
  files_enough: machineThat({ mostOpenFiles: () => Promise.resolve(openFilesOf(limitsText("1048576"))) }),
  files_few: machineThat({ mostOpenFiles: () => Promise.resolve(openFilesOf(limitsText("1024"))) }),
  files_unknown: machineThat({ mostOpenFiles: () => Promise.resolve(openFilesOf("")) }),
} satisfies Record<EdgeFindingCode, Situation>

async function boundUdp(stack: AsyncDisposableStack): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1")
  await once(socket, "listening")
  stack.defer(() => void socket.close())
  return socket.address().port
}

/** `answer`: fields of what the port that clients are sent to says. */
async function redirecting(
  stack: AsyncDisposableStack,
  answer: Readonly<Record<string, string>>,
): Promise<Partial<DoctorOptions>> {
  const edge = createHttpServer((_request, response) =>
    response.writeHead(200, { ...answer, Connection: "close" }).end(),
  )
  const port = await listening(stack, edge)
  const redirect = createHttpServer(({ url }, response) => {
    const fields = { Location: `https://127.0.0.1:${port}${url}`, Connection: "close" }
    response.writeHead(308, fields).end()
  })
  return { port, redirectPort: await listening(stack, redirect) }
}

function portsFrom(first: number): readonly PortRange[] {
  return [
    { first: 50_000, last: 65_535 },
    { first, last: 65_535 },
  ]
}

/** Of a user that may not open ports below 1024. */
function withoutRight(portRanges: DoctorOptions["portRanges"]): Situation {
  const tryListen: Machine["tryListen"] = (_kind, _host, port) =>
    port > 0 && port < 1024 ? rejecting("EACCES")() : Promise.resolve()
  return async (stack) => ({ ...(await machineThat({ tryListen })(stack, "")), portRanges })
}

/** With the same key, whether or not it is the certificate's. */
function certificates(text: string): Situation {
  return async (_stack, folder) => {
    const [certificateFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")]
    await writeFile(certificateFile, text)
    await writeFile(keyFile, serverKey)
    return {
      openCertificates: () => Certificates.open({ pairs: [{ certificateFile, keyFile }], log: quietLog }),
    }
  }
}

function limitsText(files: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${files}                 1048576              files\n`
}

async function found(situation: Situation): Promise<readonly Finding[]> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), "restante-doctor-"))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const dataDir = join(folder, "data")
  await mkdir(dataDir)
  const options: DoctorOptions = {
    host: "127.0.0.1",
    port: 0,
    redirectPort: undefined,
    portRanges: { tcp: [], udp: [] },
    redisUrl: undefined,
    dataDir,
    tokensFile: join(dataDir, "tokens.json"),
    defaultToken: true,
    tokenFile: undefined,
    maxQueue: 10_000,
    openCertificates: () => Promise.resolve(undefined),
    environment: {},
    machine: thisMachine,
    ...(await situation(stack, folder)),
  }
  const findings: Finding[] = []
  for await (const finding of doctor(options)) findings.push(finding)
  return findings
}

test.for(Object.keys(situations) as EdgeFindingCode[])("%s is found where it is so", async (code) => {
  const findings = await found(situations[code])
  const { step, verdict } = edgeFindings[code]
  expect(findings.find((finding) => finding.step === step)).toMatchObject({ code, verdict })
})

test.for(["tcp", "udp"] as const)(
  "a %s port for agents that a program has already is one that may be opened",
  async (kind) => {
    const findings = await found(async (stack) => {
      const port = await (kind === "tcp" ? listening(stack, createHttpServer()) : boundUdp(stack))
      return { portRanges: { tcp: [], udp: [], [kind]: [{ first: port, last: port }] } }
    })
    expect(findings.find(({ step }) => step === `${kind}-ports`)?.code).toBe(`${kind}_ports_allowed`)
  },
)

test("the ports that are not asked for are not looked at", async () => {
  const steps = (await found(situations.port_free)).map(({ step }) => step)
  expect(steps).toEqual(["port", "tls", "redis", "data", "token", "files"])
})

test("nothing is asked of a Redis that cannot be reached", async () => {
  const findings = await found(situations.redis_unreachable)
  const later = findings.filter(({ step }) => step === "policy" || step === "latency")
  expect(later.map(({ verdict, message }) => [verdict, message])).toEqual([
    ["skipped", "not done, because redis failed"],
    ["skipped", "not done, because redis failed"],
  ])
})

test("a Redis without TLS that is asked for TLS is told as such, although it only waits", async () => {
  const findings = await found(async (stack) => ({
    redisUrl: (await redis(stack)).redisUrl.replace("redis:", "rediss:"),
  }))
  expect(findings.find(({ step }) => step === "redis")?.code).toBe("redis_tls")
})

test("what is bad comes with what to do about it, and what is well does not", () => {
  for (const finding of Object.values(edgeFindings)) {
    const bad = finding.verdict === "failed" || finding.verdict === "warning"
    expect("remedy" in finding).toBe(bad)
  }
})

test("no finding repeats a password or a token", async () => {
  const findings = await found(async (stack) => ({
    redisUrl: (await redis(stack, "--requirepass", "right")).redisUrl.replace("//", "//:wrong-password@"),
    environment: { RESTANTE_TOKEN: longToken },
  }))
  expect(findings.find(({ step }) => step === "redis")?.code).toBe("redis_password")
  expect(JSON.stringify(findings)).not.toMatch(/wrong-password|a-token-that/)
})
