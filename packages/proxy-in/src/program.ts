// proxy-in from command line to exit code: reads the options and the token, runs an agent and its status page until told to stop.
import { readFile } from "node:fs/promises"
import {
  CommandError,
  exitCodeOf,
  givenToken,
  listenProblem,
  logDestination,
  maxRoutes,
  serveUntil,
  systemCode,
  type OptionValues,
} from "@restante/protocol"
import type { Logger } from "pino"
import { externalText, upstreamText } from "./addresses.ts"
import type { AgentOptions } from "./agent-options.ts"
import { Agents } from "./agents.ts"
import { defaultStatusPort, type AgentTable } from "./cli-options.ts"
import { parseAgentArguments } from "./command-line.ts"
import { StatusServer } from "./status/status-server.ts"
import type { AgentSurroundings } from "./surroundings.ts"
import { readWay } from "./way-options.ts"

/** Resolves with the exit code; never rejects. */
export function runProxyIn(argv: readonly string[], around: AgentSurroundings): Promise<number> {
  return exitCodeOf("proxy-in", around.errors, async () => {
    const line = await parseAgentArguments(argv, { version: around.version, columns: around.output.columns })
    switch (line.kind) {
      case "print":
        around.output.write(line.text)
        return 0
      case "command":
        return line.run(around)
      case "run":
        await runAgent(line.values, around)
        return 0
    }
  })
}

async function runAgent(values: OptionValues<AgentTable>, around: AgentSurroundings): Promise<void> {
  const options = await agentOptions(values, around)
  warnOfOpenToken(options)
  const agents = new Agents([options], (made) => around.makeAgent(made))
  const page = new StatusServer(() => agents.status())
  const service = {
    start: async () => {
      // First the page: a taken port is found before the edge counts on this agent.
      const port = values.port === "off" ? undefined : await listen(page, values.port, options.log)
      await agents.start()
      return port
    },
    stop: async () => {
      await agents.stop()
      await page.stop()
    },
  }
  await serveUntil(service, around.signal, (port) => {
    const status = port === undefined ? "" : `Status on http://127.0.0.1:${port}/\n`
    around.output.write(
      `${externalText(options.external)} -> ${upstreamText(options.server)} (tunnel ${options.tunnel})\n${status}`,
    )
  })
}

async function agentOptions(
  values: OptionValues<AgentTable>,
  around: AgentSurroundings,
): Promise<AgentOptions> {
  checkRoutes(values)
  const way = await readWay(values, around.environment)
  const token = await givenToken({
    file: values["token-file"],
    environment: around.environment,
    readText: (path) => readFile(path, "utf8"),
  })
  if (token === undefined) {
    throw new CommandError(
      "usage",
      "The edge's token is missing. Put it into a file and give --token-file FILE, or set RESTANTE_TOKEN; proxy-out says at its start where the token is.",
    )
  }
  return {
    ...way,
    tunnel: values.tunnel,
    routes: values.route,
    stripPrefix: values["strip-prefix"],
    token,
    transport: values.transport,
    concurrency: values.concurrency,
    maxUpgrades: values["max-upgrades"],
    hostHeader: values["host-header"],
    log: around.makeLog(values["log-level"], logDestination(values["log-format"], around.errors)),
  }
}

function checkRoutes(values: OptionValues<AgentTable>): void {
  if (values.route.length > maxRoutes)
    throw new CommandError(
      "usage",
      `--route: a tunnel has ${maxRoutes} routes at most. Use *.HOST or shorter prefixes.`,
    )
  if (values["strip-prefix"] && !values.route.some((route) => route.includes("/")))
    throw new CommandError(
      "usage",
      "--strip-prefix is only for a --route with a /PREFIX. Leave it out, or add one.",
    )
}

function warnOfOpenToken({ external, log }: AgentOptions): void {
  const near = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(external.hostname)
  if (external.protocol === "http:" && !near) {
    log.warn(
      { edge: externalText(external) },
      "token and requests cross the network unencrypted: use an https edge where others can listen",
    )
  }
}

/** The port of the status page; undefined when nobody asked for a certain one and the usual one is taken. */
async function listen(
  page: StatusServer,
  asked: number | undefined,
  log: Logger,
): Promise<number | undefined> {
  const port = asked ?? defaultStatusPort
  try {
    return await page.start(port)
  } catch (error) {
    if (asked === undefined && systemCode(error) === "EADDRINUSE") {
      log.warn({ port }, "no status page: its port is taken; choose another with --port")
      return undefined
    }
    throw listenProblem(error, { host: "127.0.0.1", port }, "--port")
  }
}
