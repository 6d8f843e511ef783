// The command line of proxy-in: its options, its commands and its help.
import { readCommandLine, type CommandLine, type Program } from "@restante/protocol"
import * as files from "node:fs/promises"
import yargs from "yargs"
import { agentTable, type AgentTable } from "./cli-options.ts"
import { commands } from "./commands/index.ts"
import type { AgentSurroundings } from "./surroundings.ts"

/** Reads the words after `proxy-in`, the environment and the file. Raises `CommandError`. */
export function parseAgentArguments(
  argv: readonly string[],
  { version, environment, output }: Pick<AgentSurroundings, "version" | "environment" | "output">,
): Promise<CommandLine<AgentTable, AgentSurroundings>> {
  const reading = {
    parser: yargs(),
    argv,
    columns: output.columns,
    environment,
    yaml: () => import("yaml"),
    files,
  }
  return readCommandLine({ ...agentProgram, version }, reading)
}

const agentProgram: Omit<Program<AgentTable, AgentSurroundings>, "version"> = {
  name: "proxy-in",
  prefix: "PROXY_IN",
  commands,
  summary:
    "The private side of Restante. Collects requests from a proxy-out on a public host, gives them to a private server, and " +
    "takes the answers back. It only connects outwards: no port of the firewall has to be opened.",
  options: agentTable,
  examples: [
    {
      command:
        "proxy-in --server http://127.0.0.1:3000 --external https://edge.example --token-file restante.token",
      meaning: "what listens on port 3000 here is reachable at https://edge.example",
    },
    {
      command: "proxy-in --server unix:/run/app.sock --external http://203.0.113.7:8080 --transport poll",
      meaning:
        "a server on a socket, through a network that lets only plain requests pass; the token is in RESTANTE_TOKEN",
    },
    {
      command:
        "proxy-in --server https://intranet --ca-file ca.pem --host-header upstream --external https://edge.example",
      meaning: "an https server with an own certificate authority that wants to see its own name",
    },
  ],
  notes: [
    "Every option may also come from the environment (PROXY_IN_LOG_LEVEL for --log-level) or from the file of --config (log-level: debug). " +
      "The command line wins over the environment, that over the file. SIGHUP reads all of them again.",
    "When the edge or the network goes away it reconnects for ever. SIGTERM or Ctrl-C stops it politely: what runs may finish. A second one stops it at once.",
    "Exit status: 0 stopped as asked, 1 could not start, 2 wrong command line, 130 or 143 stopped at once.",
  ],
}
