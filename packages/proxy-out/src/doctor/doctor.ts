// Examines what a proxy-out with these options would stand on: its port, certificates, Redis, directory, token, and the limits of this machine.
import { runSteps, type Finding, type Step } from "@restante/protocol"
import { edgeFindings, type EdgeFindingCode } from "./findings.ts"
import { dataStep, filesStep, portStep, tokenStep } from "./machine-steps.ts"
import { tlsStep } from "./tls-step.ts"

export interface DoctorOptions {
  readonly host: string
  readonly port: number
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
  tryListen(host: string, port: number): Promise<void>
  /** Free bytes where that path is. */
  freeBytes(path: string): Promise<number>
  /** Most files that a process may have open; undefined where the system does not tell. */
  mostOpenFiles(): Promise<number | undefined>
}

export function doctor(options: DoctorOptions): AsyncGenerator<Finding> {
  const { redisUrl } = options
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
    { name: "tls", needs: [], run: () => tlsStep(options) },
    ...queue,
    { name: "data", needs: [], run: () => dataStep(options) },
    { name: "token", needs: [], run: () => tokenStep(options) },
    { name: "files", needs: [], run: () => filesStep(options) },
  ])
}

/** With them comes a whole Redis client. */
const redisSteps = (): Promise<typeof import("./redis-steps.ts")> => import("./redis-steps.ts")
