// proxy-out from command line to exit code: reads the options, finds the token, runs an edge until told to stop.
import {
  exitCodeOf,
  listenProblem,
  logDestination,
  reloadWhenTold,
  serveUntil,
  systemCode,
  tracingSettings,
  weakTokenLength,
  type OptionValues,
  type RunLine,
} from "@restante/protocol"
import type { Logger } from "pino"
import { adminSettings } from "./admin/admin-settings.ts"
import { announcement } from "./announce.ts"
import { edgeTable, type EdgeTable } from "./cli-options.ts"
import { systemClock } from "./clock.ts"
import { parseEdgeArguments } from "./command-line.ts"
import { readTokens } from "./credentials/tokens-file.ts"
import type { EdgeSettings } from "./edge-options.ts"
import { PageFile } from "./exchange/page-file.ts"
import { openAccessLog } from "./observe/access-settings.ts"
import { dataDirOf, tokensFileOf } from "./places.ts"
import { tlsSettings } from "./ingress/tls/tls-settings.ts"
import { findToken, type FoundToken } from "./token.ts"
import type { EdgeSurroundings } from "./surroundings.ts"

/** Resolves with the exit code; never rejects. */
export function runProxyOut(argv: readonly string[], around: EdgeSurroundings): Promise<number> {
  return exitCodeOf("proxy-out", around.errors, async () => {
    const line = await parseEdgeArguments(argv, around)
    switch (line.kind) {
      case "print":
        around.output.write(line.text)
        for (const problem of line.problems) around.errors.write(`proxy-out: ${problem}\n`)
        return line.problems.length > 0 ? 2 : 0
      case "command":
        return line.run(around)
      case "run":
        await runEdge(argv, line, around)
        return 0
    }
  })
}

async function runEdge(
  argv: readonly string[],
  line: RunLine<EdgeTable>,
  around: EdgeSurroundings,
): Promise<void> {
  const { values } = line
  const dataDir = dataDirOf(values, around)
  const tokensFile = tokensFileOf(values, around)
  const found = await tokenFor(values, around)
  const log = around.makeLog(values["log-level"], logDestination(values["log-format"], around.errors))
  for (const warning of line.configuration.warnings) log.warn(warning)
  warnOfWeakToken(found, log)
  const host = values.host ?? around.allAddresses
  const page = await pageFrom(values["error-page"], log)
  const admin = await adminSettings(values)
  const tls = await tlsSettings(values, log)
  const edge = around.makeEdge({
    host,
    port: values.port,
    maxOpenConnections: openConnections(values["max-open-connections"], around),
    ...tls,
    redisUrl: values.redis,
    dispatch: values.dispatch,
    ...settingsOf(values, { token: found.token, adminToken: admin.adminToken, errorPage: page }),
    admin: admin.admin,
    ports: {
      tcp: values["tcp-ports"],
      udp: values["udp-ports"],
      flowMs: values["udp-timeout"],
      maxConnections: values["max-connections"],
      maxPerAddress: values["max-per-address"],
      keepMs: values["keep-ports"],
    },
    tokensFile,
    dataDir,
    domain: values.domain,
    accessLog: openAccessLog(values, log),
    tracing: tracingSettings(around.environment, "proxy-out"),
    log,
  })
  const service = {
    start: () =>
      edge.start().catch((error: unknown) => {
        throw startProblem(error, host, values)
      }),
    stop: () => edge.stop(),
  }
  reloadWhenTold({
    table: edgeTable,
    running: line,
    onReload: (listener) => around.onReload(listener),
    read: () => parseEdgeArguments(argv, around),
    apply: async ({ values: changed }) => {
      // First whatever may fail: a change is made as a whole or not at all.
      const { token } = await tokenFor(changed, around)
      const { adminToken } = await adminSettings(changed)
      const errorPage = await pageFrom(changed["error-page"], log)
      log.level = changed["log-level"]
      edge.change(settingsOf(changed, { token, adminToken, errorPage }))
    },
    log,
  })
  await serveUntil(service, around.signal, ({ port }) => {
    around.output.write(
      announcement({
        host: values.host,
        port,
        scheme: tls.certificates === undefined ? "http" : "https",
        ownAddress: around.ownAddress,
        tokenOrigin: found.origin,
        tokenToShow: mayShow(found, around) ? found.token?.reveal() : undefined,
      }),
    )
  })
}

function tokenFor(values: OptionValues<EdgeTable>, around: EdgeSurroundings): Promise<FoundToken> {
  if (values["default-token"] === "off") return onlyNamedTokens(tokensFileOf(values, around))
  const dataDir = dataDirOf(values, around)
  return findToken({ tokenFile: values["token-file"], dataDir, environment: around.environment })
}

/** Raises `CommandError` for a file that is broken: nobody would get in. */
async function onlyNamedTokens(tokensFile: string): Promise<FoundToken> {
  await readTokens(tokensFile)
  return { token: undefined, origin: { kind: "named", path: tokensFile } }
}

function pageFrom(path: string | undefined, log: Logger): Promise<PageFile | undefined> {
  return path === undefined
    ? Promise.resolve(undefined)
    : PageFile.open({ path, log, now: () => systemClock.now() })
}

/** `read`: what came out of the files that the options name. */
function settingsOf(
  values: OptionValues<EdgeTable>,
  read: Pick<EdgeSettings, "token" | "adminToken" | "errorPage">,
): EdgeSettings {
  return {
    ...read,
    holdMs: values.hold,
    timeoutMs: values.timeout,
    maxQueue: values["max-queue"],
    maxBodyBytes: values["max-body-size"],
    trustedProxies: values["trusted-proxies"],
    patience: {
      headMs: values["head-timeout"],
      bodyMs: values["body-timeout"],
      idleMs: values["idle-timeout"],
      minBytesPerSecond: values["min-rate"],
      minStreamBytesPerSecond: values["min-stream-rate"],
    },
  }
}

function warnOfWeakToken({ token, origin }: FoundToken, log: Logger): void {
  if (token !== undefined && token.reveal().length < weakTokenLength) {
    log.warn(
      { tokenFrom: origin.kind, leastCharacters: weakTokenLength },
      "the token is so short that it can be guessed",
    )
  }
}

/** Files, the tunnels' ports and Redis want some of what the process may open. */
function openConnections(asked: number, { maxOpenFiles }: EdgeSurroundings): number {
  return Math.min(asked, Math.floor((maxOpenFiles ?? Number.POSITIVE_INFINITY) * 0.85))
}

/** Once, to a person: a pipe may end in a log that many can read. */
function mayShow({ origin }: FoundToken, { output }: EdgeSurroundings): boolean {
  return origin.kind === "kept" && origin.madeNow && output.isTerminal
}

const listenCodes: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EADDRINUSE",
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EINVAL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPERM",
])

function startProblem(error: unknown, host: string, values: OptionValues<EdgeTable>): unknown {
  if (!listenCodes.has(systemCode(error))) return error
  const redirectPort = values["redirect-port"]
  // The system says which port it was when the address is taken or denied.
  const failed = error instanceof Error && "port" in error ? error.port : undefined
  if (redirectPort !== undefined && redirectPort === failed && failed !== values.port)
    return listenProblem(error, { host, port: redirectPort }, "--redirect-port")
  return listenProblem(error, { host, port: values.port }, "--port")
}
