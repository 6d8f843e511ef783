// The JSON Schemas of both programs' configuration files.
import { configSchema, type JsonSchema } from "@restante/protocol"
import { agentTable } from "../packages/proxy-in/src/cli-options.ts"
import { edgeTable } from "../packages/proxy-out/src/cli-options.ts"

/** By the program's name. */
export const fileSchemas: Readonly<Record<"proxy-in" | "proxy-out", JsonSchema>> = {
  "proxy-in": configSchema("proxy-in", agentTable),
  "proxy-out": configSchema("proxy-out", edgeTable),
}
