// The collector's settings, on the V8 that runs this.
import { spawnSync } from "node:child_process"
import { expect, test } from "vitest"
import { collectorFlags } from "@restante/protocol"

test("a V8 that is older than the flags gets none", () => {
  expect(collectorFlags("12.4.254.21-node.33")).toEqual([])
})

test("this V8 knows every flag it is given", () => {
  const flags = collectorFlags(process.versions.v8)
  const script = `for (const flag of ${JSON.stringify(flags)}) require("node:v8").setFlagsFromString(flag)`
  const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" })
  expect([flags.length, status, stderr]).toEqual([2, 0, ""])
})
