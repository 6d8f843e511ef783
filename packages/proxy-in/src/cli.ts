// The one file of proxy-in that touches the process: arguments, environment, terminal, signals and exit code.
import { readFileSync } from "node:fs"
import { collectorFlags, reloadSignal, stopSignal, textOutput } from "@restante/protocol"
import { setFlagsFromString } from "node:v8"
import { pino } from "pino"
import { Agent } from "./agent.ts"
import { runProxyIn } from "./program.ts"
import { machine } from "./service/machine.ts"

for (const flag of collectorFlags(process.versions.v8)) setFlagsFromString(flag)

const code = await runProxyIn(process.argv.slice(2), {
  environment: process.env,
  version: packageVersion(),
  output: textOutput(process.stdout),
  errors: textOutput(process.stderr),
  signal: stopSignal(process, () => performance.now()),
  onReload: reloadSignal(process),
  makeLog: (level, destination = pino.destination(2)) => pino({ level }, destination),
  makeAgent: (options) => new Agent(options),
  serviceHost: () => machine(process),
})
process.exit(code)

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown"
}
