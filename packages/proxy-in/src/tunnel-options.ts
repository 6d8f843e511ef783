// From a tunnel's checked values to the options of its agent: reads the token and, with way-options.ts, the certificates and keys that they name.
import { CommandError, givenToken, maxRoutes, type OptionValues, type Secret } from "@restante/protocol"
import { readGivenFile } from "./given-file.ts"
import type { Logger } from "pino"
import type { AgentOptions } from "./agent-options.ts"
import type { AgentTable } from "./cli-options.ts"
import type { Terminal } from "./terminal/terminal.ts"
import { portLines, portMappings } from "./ports.ts"
import { readWay, waySteps } from "./way-options.ts"

/** Raises `CommandError` for values that do not fit together and for files that are not what they should be. */
export async function agentOptions(
  values: OptionValues<AgentTable>,
  { environment, log, terminal, onPorts }: Surrounding,
): Promise<AgentOptions> {
  checkRoutes(values)
  const ports = portMappings([...values.tcp, ...values.udp])
  const way = await readWay(values, environment)
  const token = await tokenFor(values, environment)
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
    ports,
    proxyProtocol: values["proxy-protocol"] === "v2",
    maxConnections: values["max-connections"],
    onPorts: (opened) => onPorts?.(portLines(values.external, ports, opened)),
    onRequest: terminal && ((request, outcome) => terminal.request(values.tunnel, request, outcome)),
    logRequests: values["log-requests"],
    log,
  }
}

/** Each of the above by itself, for a check that says all that is wrong. */
export const startSteps: readonly ((values: OptionValues<AgentTable>) => unknown)[] = [
  checkRoutes,
  (values) => portMappings([...values.tcp, ...values.udp]),
  ...waySteps,
  (values) => tokenFor(values, {}),
]

function tokenFor(values: OptionValues<AgentTable>, environment: Environment): Promise<Secret | undefined> {
  return givenToken({
    file: values["token-file"],
    environment,
    readText: readGivenFile,
  })
}

interface Surrounding {
  readonly environment: Environment
  readonly log: Logger
  /** Told what the edge's ports lead to whenever it opened them, a line for each. */
  readonly onPorts?: ((lines: readonly string[]) => void) | undefined
  /** Where request lines go, when a person watches. */
  readonly terminal: Terminal | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

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
