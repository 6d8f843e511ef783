// The command line of proxy-out: its options, its commands and its help.
import { readCommandLine, type CommandLine, type Program } from "@restante/protocol"
import * as files from "node:fs/promises"
import yargs from "yargs"
import { edgeTable, type EdgeTable } from "./cli-options.ts"
import { commands } from "./commands/index.ts"
import type { EdgeSurroundings } from "./surroundings.ts"

/** Reads the words after `proxy-out`, the environment and the file. Raises `CommandError`. */
export function parseEdgeArguments(
  argv: readonly string[],
  { version, environment, output }: Pick<EdgeSurroundings, "version" | "environment" | "output">,
): Promise<CommandLine<EdgeTable, EdgeSurroundings>> {
  const reading = {
    parser: yargs(),
    argv,
    columns: output.columns,
    environment,
    yaml: () => import("yaml"),
    files,
  }
  return readCommandLine({ ...edgeProgram, version }, reading)
}

const edgeProgram: Omit<Program<EdgeTable, EdgeSurroundings>, "version"> = {
  name: "proxy-out",
  prefix: "PROXY_OUT",
  commands,
  summary:
    "The public side of Restante. Takes HTTP requests on a public host, holds them in a queue, and answers them with what a " +
    "proxy-in inside a firewall fetched from the private server.",
  options: edgeTable,
  examples: [
    {
      command: "proxy-out --port 8080",
      meaning: "an edge with its queue in memory; it prints the proxy-in command to copy",
    },
    {
      command: "proxy-out --port 80 --redis redis://10.0.0.5:6379 --token-file /etc/restante/token",
      meaning: "one of several edges that share a queue and a token",
    },
    {
      command: "proxy-out --hold 2m --max-queue 50000",
      meaning: "keep more clients waiting, and longer, while no agent is there",
    },
  ],
  notes: [
    "Every option may also come from the environment (PROXY_OUT_MAX_QUEUE for --max-queue) or from the file of --config (max-queue: 500). " +
      "The command line wins over the environment, that over the file. SIGHUP reads all of them again.",
    "SIGTERM or Ctrl-C stops it politely: nothing new is taken, what runs may finish. A second one stops it at once.",
    "Exit status: 0 stopped as asked, 1 could not start, 2 wrong command line, 130 or 143 stopped at once.",
  ],
}
