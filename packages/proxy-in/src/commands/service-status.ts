// proxy-in service status: one line about a service that service install made.
import { command } from "@restante/protocol"
import { serviceOptions } from "../service/service-options.ts"
import { SystemdService } from "../service/systemd-service.ts"
import type { AgentSurroundings } from "../surroundings.ts"

/** As systemctl's own for a unit that does not run. */
const notRunningExitCode = 3

export const serviceStatus = command({
  words: ["service", "status"],
  summary: "say whether a service that service install made runs, since when, and where its log is",
  options: serviceOptions,
  examples: [{ command: "proxy-in service status", meaning: "the one called proxy-in" }],
  notes: ["Exit status: 0 it runs, 3 it does not, 1 there is none."],
  async run({ values }, { serviceHost, output }: AgentSurroundings) {
    const { runs, line } = await new SystemdService(serviceHost(), values).status()
    output.write(`${line}\n`)
    return runs ? 0 : notRunningExitCode
  },
})
