import { resetCodes, type ResetCode } from "@restante/protocol"
import { expect, test } from "vitest"
import { remedyOf } from "../../src/observe/remedies.ts"

test.each(Object.keys(resetCodes) as ResetCode[])("%s comes with a sentence of advice", (code) => {
  const remedy = remedyOf(code, { upstream: "http://10.0.0.5:3000" })
  expect(remedy).toMatch(/^[A-Z"h].{15,}\.$/)
  expect(remedy).not.toMatch(/UPSTREAM|OPTION/)
})

test.each(Object.keys(resetCodes) as ResetCode[])(
  "%s of a port comes with advice that names no other option",
  (code) => {
    const remedy = remedyOf(code, { upstream: "127.0.0.1:22", port: "--tcp 20022" })
    expect(remedy).toMatch(/^[A-Z"\d].{15,}\.$/)
    expect(remedy).not.toMatch(/UPSTREAM|OPTION|--server|--concurrency/)
  },
)
