import { format, inspect } from "node:util"
import { expect, test } from "vitest"
import { Secret } from "../../src/config/secret.ts"

test("a secret shows itself only when asked by name", () => {
  expect(new Secret("hunter2hunter2").reveal()).toBe("hunter2hunter2")
})

test("no way of printing shows a secret", () => {
  const secret = new Secret("hunter2hunter2")
  const printed = [
    ["token", secret].join(),
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    inspect({ nested: { secret } }),
    format("%s %o %O %j", secret, secret, secret, secret),
    Object.entries(secret).join(),
  ]
  expect(printed.filter((text) => text.includes("hunter2"))).toEqual([])
})
