// `proxy-out doctor`: takes proxy-out's own options and says whether this machine is fit for them.
import { command, diagnosisCode, onOrOff, writeDiagnosis, type AnyCommand } from "@restante/protocol"
import { edgeTable } from "../cli-options.ts"
import { tlsSettings } from "../ingress/tls/tls-settings.ts"
import { dataDirOf, tokensFileOf } from "../places.ts"
import type { EdgeSurroundings } from "../surroundings.ts"

export const doctorCommand: AnyCommand<EdgeSurroundings> = command({
  words: ["doctor"],
  summary: "says step by step whether proxy-out would work with these options",
  options: {
    ...edgeTable,
    json: { group: "Examination", flag: true, help: "write the findings as JSON", ...onOrOff },
  },
  examples: [
    { command: "proxy-out doctor --port 80", meaning: "the same options as proxy-out's; it may be running" },
  ],
  notes: ["Exit status: 0 nothing failed, 1 something did, 2 wrong command line."],
  run: async ({ values }, around: EdgeSurroundings) => {
    // Here, so that an edge without Redis does not load its client.
    const [{ doctor }, { thisMachine }] = await Promise.all([
      import("../doctor/doctor.ts"),
      import("../doctor/machine.ts"),
    ])
    const findings = doctor({
      host: values.host ?? around.allAddresses,
      port: values.port,
      redirectPort: values["redirect-port"],
      portRanges: { tcp: values["tcp-ports"], udp: values["udp-ports"] },
      redisUrl: values.redis,
      dataDir: dataDirOf(values, around),
      tokensFile: tokensFileOf(values, around),
      defaultToken: values["default-token"] === "on",
      tokenFile: values["token-file"],
      maxQueue: values["max-queue"],
      openCertificates: async () => (await tlsSettings(values, around.makeLog("silent"))).certificates,
      environment: around.environment,
      machine: thisMachine,
    })
    const { output } = around
    return diagnosisCode(await writeDiagnosis(findings, { output, json: values.json }))
  },
})
