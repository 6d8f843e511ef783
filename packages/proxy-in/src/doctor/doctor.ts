// Examines the way from here to the edge and to the private servers, step by step. What needs a session gets one that serves nobody,
// so that an agent that runs is not disturbed.
import type { LookupFunction } from "node:net"
import { runSteps, type Finding, type Secret, type Step } from "@restante/protocol"
import type { AgentOptions } from "../agent-options.ts"
import { EdgeClient } from "../attach/edge-client.ts"
import type { Clock } from "../clock.ts"
import { allowedPortsStep } from "./allowed-ports-step.ts"
import { pollStep, streamingStep, websocketStep } from "./carrier-steps.ts"
import { nameStep, proxyStep, tcpStep, tlsStep } from "./connection-steps.ts"
import { clockStep, edgeStep, tokenStep } from "./edge-steps.ts"
import { agentFindings, type AgentFindingCode } from "./findings.ts"
import { portSteps } from "./port-steps.ts"
import { upstreamStep } from "./upstream-step.ts"

export interface DoctorOptions extends Pick<
  AgentOptions,
  "server" | "external" | "externalCa" | "externalIdentity" | "proxy" | "tunnel" | "transport" | "ports"
> {
  readonly routes?: readonly string[] | undefined
  /** Undefined: none was given, which is a finding. */
  readonly token: Secret | undefined
  /** How long a poll is watched, in milliseconds; undefined: until the edge ends it (25 s). */
  readonly pollMs: number | undefined
  readonly clock: Clock
  /** Instead of the system's resolver. */
  readonly lookup?: LookupFunction | undefined
  /** How long anything but the poll may take; default 10 s. */
  readonly patienceMs?: number | undefined
}

export async function* doctor(options: DoctorOptions): AsyncGenerator<Finding> {
  const clients: EdgeClient[] = []
  const patient: PatientOptions = { ...options, patienceMs: options.patienceMs ?? defaultPatienceMs }
  const newClient = (token: Secret): EdgeClient => {
    const client = new EdgeClient({
      ...patient,
      ca: patient.externalCa,
      identity: patient.externalIdentity,
      token,
      connectTimeoutMs: patient.patienceMs,
    })
    clients.push(client)
    return client
  }
  const { server, ports = [] } = patient
  const room: ExaminationRoom = { options: patient, newClient }
  const steps: readonly Step<AgentFindingCode>[] = [
    { name: "proxy", needs: [], run: () => proxyStep(room) },
    { name: "name", needs: [], run: () => nameStep(room) },
    { name: "tcp", needs: ["name", "proxy"], run: () => tcpStep(room) },
    { name: "tls", needs: ["tcp"], run: () => tlsStep(room) },
    { name: "edge", needs: ["tls"], run: () => edgeStep(room) },
    { name: "clock", needs: ["edge"], run: () => clockStep(room) },
    { name: "token", needs: ["edge"], run: () => tokenStep(room) },
    ...(ports.length === 0 ? [] : [{ name: "ports", needs: ["token"], run: () => allowedPortsStep(room) }]),
    { name: "websocket", needs: ["token"], run: () => websocketStep(room) },
    { name: "streaming", needs: ["token"], run: () => streamingStep(room) },
    { name: "poll", needs: ["token"], run: () => pollStep(room) },
    ...(server === undefined
      ? []
      : [{ name: "upstream", needs: [], run: () => upstreamStep(server, patient.patienceMs) }]),
    ...portSteps(ports, patient.patienceMs),
  ]
  try {
    yield* runSteps(agentFindings, steps)
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

export type PatientOptions = DoctorOptions & { readonly patienceMs: number }

/** What all steps work with. */
export interface ExaminationRoom {
  readonly options: PatientOptions
  /** Closed when the examination is over. */
  readonly newClient: (token: Secret) => EdgeClient
}

const defaultPatienceMs = 10_000
