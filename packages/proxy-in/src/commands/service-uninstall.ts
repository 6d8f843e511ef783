// proxy-in service uninstall: stops what service install started and removes what it wrote.
import { command } from "@restante/protocol"
import { serviceOptions } from "../service/service-options.ts"
import { SystemdService } from "../service/systemd-service.ts"
import type { AgentSurroundings } from "../surroundings.ts"

export const serviceUninstall = command({
  words: ["service", "uninstall"],
  summary: "stop and remove a service that service install made; token and other files stay",
  options: serviceOptions,
  examples: [
    { command: "sudo proxy-in service uninstall", meaning: "the one called proxy-in" },
    { command: "proxy-in service uninstall --user --name wiki", meaning: "one of your own" },
  ],
  async run({ values }, { serviceHost, output }: AgentSurroundings) {
    const service = new SystemdService(serviceHost(), values)
    await service.uninstall()
    output.write(`Stopped ${service.name} and removed ${service.path}.\n`)
    return 0
  },
})
