// The agent as a library: what a program needs to run one in its own process.
export { Agent } from "./agent.ts"
export {
  transports,
  type AgentOptions,
  type HostHeader,
  type Transport,
  type UpstreamAddress,
} from "./agent-options.ts"
export { Agents, type AppliedTunnels, type RunningAgent } from "./agents.ts"
export type { AgentStatus, LinkState, ProgramStatus, RequestCounts, StatusError } from "./status/status.ts"
