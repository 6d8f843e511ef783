// Examines what a proxy-out with these options would stand on: its ports, certificates, Redis, directory, token, and the limits of this machine.
import { runSteps, type Finding, type PortKind, type Step } from "@restante/protocol"
import type { PortRange } from "../ports/port-range.ts"
import { edgeFindings, type EdgeFindingCode } from "./findings.ts"
import { dataStep, filesStep, tokenStep } from "./machine-steps.ts"
import { portStep, rangesStep, redirectStep } from "./port-steps.ts"
import { tlsStep } from "./tls-step.ts"

export interface DoctorOptions {
  readonly host: string
  readonly port: number
  readonly redirectPort: number | undefined
  /** What agents may ask for. */
  readonly portRanges: Readonly<Record<PortKind, readonly PortRange[]>>
  /** May hold a password. */
  readonly redisUrl: string | undefined
  readonly dataDir: string
  /** Where agents' named tokens are. */
  readonly tokensFile: string
  /** False: only named tokens count. */
  readonly defaultToken: boolean
  readonly tokenFile: string | undefined
  readonly maxQueue: number
  /** Reads what the port is to speak TLS with; undefined when it is to speak none. Rejects with `CommandError` when it cannot be used. */
  readonly openCertificates: () => Promise<{ readonly endsAt: number } | undefined>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly machine: Machine
}

/** What is asked of the system; tests have it fail. */
export interface Machine {
  /** Opens the port and closes it again; rejects with the system's error. */
  tryListen(kind: PortKind, host: string, port: number): Promise<void>
  /** Free bytes where that path is. */
  freeBytes(path: string): Promise<number>
  /** Most files that a process may have open; undefined where the system does not tell. */
  mostOpenFiles(): Promise<number | undefined>
}

export function doctor(options: DoctorOptions): AsyncGenerator<Finding> {
  const { redisUrl, redirectPort, portRanges } = options
  const redirect: readonly Step<EdgeFindingCode>[] =
    redirectPort === undefined
      ? []
      : [{ name: "redirect", needs: [], run: () => redirectStep(options, redirectPort) }]
  const ranges = (["tcp", "udp"] as const)
    .filter((kind) => portRanges[kind].length > 0)
    .map((kind) => ({ name: `${kind}-ports`, needs: [], run: () => rangesStep(options, kind) }))
  const queue: readonly Step<EdgeFindingCode>[] =
    redisUrl === undefined
      ? [{ name: "redis", needs: [], run: () => Promise.resolve({ code: "redis_none" }) }]
      : [
          { name: "redis", needs: [], run: async () => (await redisSteps()).redisStep(redisUrl) },
          { name: "policy", needs: ["redis"], run: async () => (await redisSteps()).policyStep(redisUrl) },
          { name: "latency", needs: ["redis"], run: async () => (await redisSteps()).latencyStep(redisUrl) },
        ]
  return runSteps(edgeFindings, [
    { name: "port", needs: [], run: () => portStep(options) },
    ...redirect,
    ...ranges,
    { name: "tls", needs: [], run: () => tlsStep(options) },
    ...queue,
    { name: "data", needs: [], run: () => dataStep(options) },
    { name: "token", needs: [], run: () => tokenStep(options) },
    { name: "files", needs: [], run: () => filesStep(options) },
  ])
}

/** With them comes a whole Redis client. */
const redisSteps = (): Promise<typeof import("./redis-steps.ts")> => import("./redis-steps.ts")
