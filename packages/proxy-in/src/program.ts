// proxy-in from command line to exit code: reads the options and the token, runs an agent and its status page until told to stop.
import {
  exitCodeOf,
  listenProblem,
  logDestination,
  reloadWhenTold,
  serveUntil,
  systemCode,
  tracingSettings,
  type OptionValues,
  type RunLine,
} from "@restante/protocol"
import type { Logger } from "pino"
import { externalText, upstreamText } from "./addresses.ts"
import type { AgentOptions } from "./agent-options.ts"
import { Agents } from "./agents.ts"
import { agentTable, defaultStatusPort, type AgentTable } from "./cli-options.ts"
import { systemClock } from "./clock.ts"
import { parseAgentArguments } from "./command-line.ts"
import { ReplayTracing } from "./observe/replay-tracing.ts"
import { spanExporter } from "./observe/span-post.ts"
import { StatusServer } from "./status/status-server.ts"
import type { AgentSurroundings } from "./surroundings.ts"
import { canRedraw, Terminal } from "./terminal/terminal.ts"
import { agentOptions } from "./tunnel-options.ts"

/** Resolves with the exit code; never rejects. */
export function runProxyIn(argv: readonly string[], around: AgentSurroundings): Promise<number> {
  return exitCodeOf("proxy-in", around.errors, async () => {
    const line = await parseAgentArguments(argv, around)
    switch (line.kind) {
      case "print":
        around.output.write(line.text)
        for (const problem of line.problems) around.errors.write(`proxy-in: ${problem}\n`)
        return line.problems.length > 0 ? 2 : 0
      case "command":
        return line.run(around)
      case "run":
        await runAgent(argv, line, around)
        return 0
    }
  })
}

async function runAgent(
  argv: readonly string[],
  line: RunLine<AgentTable>,
  around: AgentSurroundings,
): Promise<void> {
  const { values, configuration } = line
  const terminal = terminalFor(values, around)
  // Lines that did not pass through the block would be drawn over.
  const lines = terminal !== undefined && around.errors.isTerminal ? terminal.log : around.errors
  const log = around.makeLog(values["log-level"], logDestination(values["log-format"], lines))
  for (const warning of configuration.warnings) log.warn(warning)
  const told = new Set<string>()
  const tellOfPorts = (portLines: readonly string[]): void => {
    for (const portLine of portLines) {
      if (told.has(portLine)) continue
      told.add(portLine)
      if (terminal === undefined) around.output.write(`${portLine}\n`)
      else log.info(portLine)
    }
  }
  const optionsOf = ({ tunnels }: RunLine<AgentTable>): Promise<AgentOptions[]> =>
    Promise.all(
      tunnels.map((tunnel) =>
        agentOptions(tunnel, { environment: around.environment, log, terminal, onPorts: tellOfPorts }),
      ),
    )
  const options = await optionsOf(line)
  warnOfOpenToken(values.external, log)
  const settings = tracingSettings(around.environment, "proxy-in")
  const spans = settings && spanExporter(settings, log)
  const tracing = settings && spans && new ReplayTracing(settings, spans)
  const agents = new Agents(options, (made) => around.makeAgent({ ...made, tracing }))
  const page = new StatusServer(() => agents.status())
  const service = {
    start: async () => {
      // First the page: a taken port is found before the edge counts on this agent.
      const port = values.port === "off" ? undefined : await listen(page, values.port, log)
      await agents.start()
      return port
    },
    stop: async () => {
      await agents.stop()
      await spans?.flush()
      await page.stop()
      terminal?.stop()
    },
  }
  reloadWhenTold({
    table: agentTable,
    running: line,
    onReload: (listener) => around.onReload(listener),
    read: () => parseAgentArguments(argv, around),
    apply: async (changed) => {
      const { added, removed, changed: restarted } = await agents.apply(await optionsOf(changed))
      log.level = changed.values["log-level"]
      if (added.length + removed.length + restarted.length > 0) {
        log.info({ added, removed, changed: restarted }, "tunnels changed")
      }
    },
    log,
  })
  await serveUntil(service, around.signal, (port) => {
    const pageUrl = port === undefined ? undefined : `http://127.0.0.1:${port}/`
    if (terminal !== undefined) return terminal.start(() => agents.status(), pageUrl)
    const served = options.map(servedLine)
    const status = pageUrl === undefined ? "" : `Status on ${pageUrl}\n`
    around.output.write(served.join("") + status)
  })
}

/** Where a tunnel's requests go; its ports have lines of their own once they are open. */
function servedLine(options: AgentOptions): string {
  const { external, tunnel, server } = options
  const requests = server === undefined ? "takes no requests, ports only" : upstreamText(server)
  return `${externalText(external)} -> ${requests} (tunnel ${tunnel})\n`
}

/** The status block, where a person watches and the terminal can show it. */
function terminalFor(values: OptionValues<AgentTable>, around: AgentSurroundings): Terminal | undefined {
  const { output, environment, version } = around
  if (values["log-format"] === "json" || !canRedraw(output, environment)) return undefined
  return new Terminal({ output, environment, version, now: () => systemClock.now() })
}

function warnOfOpenToken(external: URL, log: Logger): void {
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
