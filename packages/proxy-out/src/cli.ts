// The one file of proxy-out that touches the process: arguments, environment, terminal, signals and exit code.
import { closeSync, openSync, readFileSync } from "node:fs"
import { homedir, networkInterfaces } from "node:os"
import { collectorFlags, reloadSignal, stopSignal, textOutput } from "@restante/protocol"
import { setFlagsFromString } from "node:v8"
import { pino } from "pino"
import { Edge } from "./edge.ts"
import { runProxyOut } from "./program.ts"

for (const flag of collectorFlags(process.versions.v8)) setFlagsFromString(flag)

const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
const errors = textOutput(process.stderr)
// Not pino's own destination: that one retries for ever, at the very end too, once nobody reads the log any more.
const jsonLines = { write: (line: string): unknown => errors.write(line) }
const code = await runProxyOut(process.argv.slice(2), {
  environment: process.env,
  version: packageVersion(),
  output: textOutput(process.stdout),
  errors,
  signal: stopSignal(process, () => performance.now()),
  onReload: reloadSignal(process, terminalGone),
  home: homedir(),
  allAddresses: addresses.some(({ family }) => family === "IPv6") ? "::" : "0.0.0.0",
  ownAddress: addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address,
  maxOpenFiles: maxOpenFiles(),
  makeLog: (level, destination = jsonLines) => pino({ level }, destination),
  makeEdge: (options) => new Edge(options),
})
process.exit(code)

/** It was started on a terminal, and that has been closed. */
function terminalGone(): boolean {
  if (!process.stdout.isTTY && !process.stderr.isTTY) return false
  try {
    closeSync(openSync("/dev/tty", "r"))
    return false
  } catch {
    return true
  }
}

/** Linux only. */
function maxOpenFiles(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1")
    const most = /^Max open files +(\d+)/m.exec(limits)?.[1]
    return most === undefined ? undefined : Number(most)
  } catch {
    return undefined
  }
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown"
}
