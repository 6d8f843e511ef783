// What an agent makes of the cookies that a load balancer sets.
import { expect, test } from "vitest"
import { balancerCookies } from "../../src/attach/balancer-cookies.ts"

test.each([
  ["no line", undefined, undefined],
  ["one line", "edge=a; Path=/; HttpOnly", "edge=a"],
  ["several lines", ["edge=a; path=/", "AWSALB=x+/=; Secure"], "edge=a; AWSALB=x+/="],
  ["a quoted value", 'edge="a b"', undefined],
  ["a quoted value of plain characters", 'edge="ab"', 'edge="ab"'],
  ["an empty value", "edge=; Max-Age=0", "edge="],
  ["the same name twice: the later counts", ["edge=a", "edge=b"], "edge=b"],
  ["a line that is none", "; Path=/", undefined],
  ["a value that would end the field", "edge=a\r\nX: y", undefined],
  ["more than a balancer needs", `edge=${"a".repeat(5000)}`, undefined],
])("%s", (_title, setCookie, field) => {
  expect(balancerCookies(setCookie)).toBe(field)
})
