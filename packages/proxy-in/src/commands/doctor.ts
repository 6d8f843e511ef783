// `proxy-in doctor`: takes proxy-in's own options and says, step by step, whether it would work with them.
import {
  command,
  diagnosisCode,
  givenToken,
  onOrOff,
  writeDiagnosis,
  type AnyCommand,
  type Finding,
  type OptionValues,
} from "@restante/protocol"
import { readGivenFile } from "../given-file.ts"
import { agentTable, type AgentTable } from "../cli-options.ts"
import { systemClock } from "../clock.ts"
import { doctor, type DoctorOptions } from "../doctor/doctor.ts"
import { portMappings } from "../ports.ts"
import type { AgentSurroundings } from "../surroundings.ts"
import { readWay } from "../way-options.ts"

/** How long `--quick` watches a poll. */
const quickPollMs = 3000

export const doctorCommand: AnyCommand<AgentSurroundings> = command({
  words: ["doctor"],
  summary:
    "says step by step whether proxy-in would work with these options, and what to do where it would not",
  options: {
    ...agentTable,
    quick: {
      group: "Examination",
      flag: true,
      help: "watch a waiting poll for 3 s instead of the whole 25 s",
      ...onOrOff,
    },
    json: {
      group: "Examination",
      flag: true,
      help: "write the findings as JSON",
      ...onOrOff,
    },
  },
  examples: [
    {
      command:
        "proxy-in doctor --server http://127.0.0.1:3000 --external https://edge.example --token-file restante.token",
      meaning: "the same options as proxy-in's: from the proxy to the private servers",
    },
  ],
  notes: [
    "Exit status: 0 nothing failed, 1 something did, 2 wrong command line. An agent that runs is not disturbed.",
  ],
  run: async ({ values, tunnels }, around: AgentSurroundings) => {
    const { output } = around
    const patients = await Promise.all(tunnels.map((tunnel) => patientOf(tunnel, around)))
    const findings = await writeDiagnosis(examineAll(patients), { output, json: values.json })
    return diagnosisCode(findings)
  },
})

async function patientOf(
  values: OptionValues<AgentTable> & { readonly quick: boolean },
  { environment }: AgentSurroundings,
): Promise<DoctorOptions> {
  const way = await readWay(values, environment)
  const token = await givenToken({
    file: values["token-file"],
    environment,
    readText: readGivenFile,
  })
  const { tunnel, transport } = values
  return {
    ...way,
    token,
    tunnel,
    routes: values.route,
    transport,
    ports: portMappings([...values.tcp, ...values.udp]),
    pollMs: values.quick ? quickPollMs : undefined,
    clock: systemClock,
  }
}

/** One after the other; of several the steps say whose they are. */
async function* examineAll(patients: readonly DoctorOptions[]): AsyncGenerator<Finding> {
  for (const patient of patients) {
    for await (const finding of doctor(patient)) {
      yield patients.length === 1 ? finding : { ...finding, step: `${patient.tunnel}/${finding.step}` }
    }
  }
}
