// The commands of proxy-in beside its main one, in the order of --help: a file for each, and one line here.
import type { AnyCommand } from "@restante/protocol"
import type { AgentSurroundings } from "../surroundings.ts"
import { configCheck } from "./config-check.ts"
import { doctorCommand } from "./doctor.ts"
import { serviceInstall } from "./service-install.ts"
import { serviceStatus } from "./service-status.ts"
import { serviceUninstall } from "./service-uninstall.ts"

export const commands: readonly AnyCommand<AgentSurroundings>[] = [
  doctorCommand,
  serviceInstall,
  serviceUninstall,
  serviceStatus,
  configCheck,
]
