import { resetCodes, type ResetCode } from "@restante/protocol"
import { expect, test } from "vitest"
import { remedyOf } from "../../src/observe/remedies.ts"

test.each(Object.keys(resetCodes) as ResetCode[])("%s comes with a sentence of advice", (code) => {
  const remedy = remedyOf(code, "http://10.0.0.5:3000")
  expect(remedy).toMatch(/^[A-Z"h].{15,}\.$/)
  expect(remedy).not.toContain("UPSTREAM")
})
