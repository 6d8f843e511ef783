// What NO_PROXY excepts, entry by entry.
import { expect, test } from "vitest"
import { isExcepted } from "../../src/attach/no-proxy.ts"

const excepted: readonly [list: string, host: string][] = [
  ["*", "edge.example"],
  ["other.example, *", "edge.example"],
  ["edge.example", "edge.example"],
  ["Edge.Example", "edge.EXAMPLE"],
  ["edge.example.", "edge.example"],
  ["edge.example", "edge.example."],
  ["example", "edge.example"],
  [".example", "edge.example"],
  [".edge.example", "edge.example"],
  ["*.example", "edge.example"],
  ["edge.example:443", "edge.example"],
  ["*:443", "edge.example"],
  ["a.example,,b.example edge.example", "edge.example"],
  ["192.0.2.7", "192.0.2.7"],
  ["192.0.2.7:443", "192.0.2.7"],
  ["192.0.2.0/24", "192.0.2.255"],
  ["0.0.0.0/0", "192.0.2.7"],
  ["2001:db8::7", "2001:db8::7"],
  ["2001:DB8:0::7", "2001:db8::7"],
  ["[2001:db8::7]", "2001:db8::7"],
  ["[2001:db8::7]:443", "2001:db8::7"],
  ["2001:db8::/32", "2001:db8:1::7"],
  ["localhost", "localhost"],
]

const notExcepted: readonly [list: string, host: string][] = [
  ["", "edge.example"],
  [" , ", "edge.example"],
  [".", "edge.example"],
  ["ample", "edge.example"],
  ["edge.example", "my-edge.example"],
  ["edge.example", "example"],
  ["*.edge.example", "edge.example"],
  ["edge.example:80", "edge.example"],
  ["*:80", "edge.example"],
  ["192.0.2.0/24", "192.0.3.1"],
  ["192.0.2.0/33", "192.0.2.1"],
  ["192.0.2.0/24", "edge.example"],
  ["192.0.2.7", "192.0.2.70"],
  ["0.0.0.0/0", "2001:db8::7"],
  ["::/0", "192.0.2.7"],
  ["2001:db8::7", "2001:db8::8"],
  ["[2001:db8::7]:80", "2001:db8::7"],
  ["e*.example", "edge.example"],
]

test.each(excepted)("%j excepts %s, port 443", (list, host) => {
  expect(isExcepted(list, host, 443)).toBe(true)
})

test.each(notExcepted)("%j does not except %s, port 443", (list, host) => {
  expect(isExcepted(list, host, 443)).toBe(false)
})
