// What proxy-in gets from its process; tests hand in something else.
import type { LogLevel, Surroundings } from "@restante/protocol"
import type { Logger } from "pino"
import type { AgentOptions } from "./agent-options.ts"
import type { RunningAgent } from "./agents.ts"
import type { ServiceHost } from "./service/service-host.ts"

export interface AgentSurroundings extends Surroundings {
  /** `destination`: where its lines go; without one to standard error, as they are. */
  makeLog(level: LogLevel, destination?: { write(line: string): void }): Logger
  makeAgent(options: AgentOptions): RunningAgent
  /** The machine, for those who set up a service on it. */
  readonly serviceHost: () => ServiceHost
}
