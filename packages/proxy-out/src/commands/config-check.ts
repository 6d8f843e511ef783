// `proxy-out config check FILE`: says what is wrong in a configuration file, before a start does.
import * as files from "node:fs/promises"
import { checkConfigFile, command } from "@restante/protocol"
import { edgeTable } from "../cli-options.ts"
import { edgeStartSteps } from "../start-steps.ts"
import type { EdgeSurroundings } from "../surroundings.ts"

export const configCheck = command({
  words: ["config", "check"],
  positionals: [{ name: "FILE" }],
  summary: "looks through a file of --config and says everything that is wrong in it",
  options: {},
  examples: [
    {
      command: "proxy-out config check /etc/restante/proxy-out.yaml",
      meaning: "exit status 0 when it is fine, 2 when something is wrong, 1 when it cannot be read",
    },
  ],
  run: async ({ positionals: [path = ""] }, around: EdgeSurroundings) => {
    const { output, errors } = around
    const startSteps = edgeStartSteps(around.makeLog("silent"))
    const program = { prefix: "PROXY_OUT", options: edgeTable }
    const { problems, notes, exitCode } = await checkConfigFile(program, path, {
      yaml: () => import("yaml"),
      files,
      startSteps,
    })
    for (const problem of problems) errors.write(`${problem}\n`)
    if (problems.length === 0) output.write(`${path} is fine\n`)
    for (const note of notes) output.write(`${note}\n`)
    return exitCode
  },
})
