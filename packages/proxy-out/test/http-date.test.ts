// The Date line of our own answers.
import { expect, test } from "vitest"
import { dateLineOf } from "../src/http-date.ts"

test("is the date of RFC 9110 section 5.6.7, as a field line", () => {
  expect(dateLineOf({ now: () => 784_111_777_123 })()).toBe("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
})

test("changes with the second", () => {
  let now = 784_111_777_999
  const dateLine = dateLineOf({ now: () => now })
  dateLine()
  now += 1
  expect(dateLine()).toBe("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n")
})

test("follows a clock that is set back", () => {
  let now = 784_111_777_000
  const dateLine = dateLineOf({ now: () => now })
  dateLine()
  now -= 1000
  expect(dateLine()).toBe("Date: Sun, 06 Nov 1994 08:49:36 GMT\r\n")
})
