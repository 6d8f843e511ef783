// What the environment says about a program's options: `PROXY_OUT_MAX_QUEUE` for `--max-queue`.
import { CommandError } from "./command-error.ts"
import { nearestName } from "./nearest.ts"
import type { OptionTable } from "./options.ts"
import { listItems, variableOf, type Given, type Source } from "./settings.ts"

export type Environment = Readonly<Record<string, string | undefined>>

export interface EnvironmentSource {
  readonly given: Source
  /** Variables with the program's prefix that are none of its options, with the nearest one. */
  readonly problems: readonly CommandError[]
  /** Names of variables that Kubernetes or Docker set for a service of that name. They mean nothing here. */
  readonly ignored: readonly string[]
}

/** An empty variable counts as not set. Values are never shown here. */
export function readEnvironment(
  prefix: string,
  table: OptionTable,
  environment: Environment,
): EnvironmentSource {
  const options = new Map(Object.keys(table).map((name) => [variableOf(name, prefix), name]))
  const given = new Map<string, Given>()
  const problems: CommandError[] = []
  const ignored: string[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(`${prefix}_`) || text === undefined || text.trim() === "") continue
    if (isServiceVariable(variable, text)) {
      ignored.push(variable)
      continue
    }
    const name = options.get(variable)
    if (name === undefined) {
      problems.push(new CommandError("usage", unknownVariable(variable, prefix, options)))
      continue
    }
    const texts = table[name]?.list === true ? listItems(text) : [text]
    given.set(name, { texts, origin: { kind: "environment", variable } })
  }
  return { given, problems, ignored }
}

/**
 * Whether a variable is one of those that Kubernetes sets in every container for each service of the namespace, and Docker for each link: a
 * service called "proxy-out" gives PROXY_OUT_SERVICE_HOST, PROXY_OUT_PORT=tcp://10.0.0.1:80, PROXY_OUT_PORT_80_TCP_ADDR and so on.
 */
function isServiceVariable(variable: string, text: string): boolean {
  return (
    /_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/.test(variable) ||
    /_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT(?:_(?:START|END))?|ADDR|START|END))?$/.test(variable) ||
    (variable.endsWith("_PORT") && /^(?:tcp|udp|sctp):\/\//.test(text)) ||
    (variable.endsWith("_NAME") && /^\/[\w.-]+\/[\w.-]+$/.test(text))
  )
}

function unknownVariable(variable: string, prefix: string, options: ReadonlyMap<string, string>): string {
  // Names that are set by mistake may be long or odd; what is shown is cut and plain.
  const typed = /^\w{1,60}$/.test(variable) ? variable : `${prefix}_…`
  if (variable === `${prefix}_TOKEN`) return `${typed} is no option. Did you mean RESTANTE_TOKEN?`
  const nearest = nearestName(variable.slice(prefix.length + 1), options.values())
  const remedy =
    nearest === undefined
      ? "Its options are those of --help."
      : `Did you mean ${variableOf(nearest, prefix)}?`
  return `The environment holds ${typed}, which is no option. ${remedy} Unset it if it is meant for something else.`
}
