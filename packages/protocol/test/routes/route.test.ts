// What is a route and what is not, and how a Host field is compared with one.
import { expect, test } from "vitest"
import { parseRoute, routedHost, routeText } from "../../src/routes/index.ts"

test.each([
  ["app.example", "app.example"],
  ["App.Example.", "app.example"],
  ["localhost", "localhost"],
  ["10.0.0.7", "10.0.0.7"],
  ["*.example", "*.example"],
  ["app.example/", "app.example"],
  ["app.example/API/v1/", "app.example/API/v1"],
  ["*.example/a%2Fb", "*.example/a%2Fb"],
  ["/api", "/api"],
  ["/api//", "/api"],
  ["/a/../b", "/a/../b"],
])("%s is the route %s", (text, canonical) => {
  const route = parseRoute(text)
  expect(route && routeText(route)).toBe(canonical)
})

test.each([
  "",
  "/",
  "*",
  "*.",
  "*./api",
  "*example",
  "a.*.example",
  "http://app.example",
  "app.example:8080",
  "[::1]",
  "-app.example",
  "app..example",
  ".example",
  "app.example/a?b",
  "app.example/#a",
  "/a b",
  "/a\r\nb",
  "/ä",
  "/.restante",
  "/.restante/v1",
  "a".repeat(254),
  `/${"a".repeat(510)}`,
])("%j is no route", (text) => {
  expect(parseRoute(text)).toBeUndefined()
})

test.each([
  ["App.Example", "app.example"],
  ["app.example:8080", "app.example"],
  ["app.example.", "app.example"],
  ["app.example.:80", "app.example"],
  ["10.0.0.7:80", "10.0.0.7"],
  ["[::1]:80", undefined],
  ["", undefined],
  [":80", undefined],
  [".", undefined],
  [undefined, undefined],
])("Host %j is compared as %j", (host, expected) => {
  expect(routedHost(host)).toBe(expected)
})
