// What routing one request costs with 1,000 tunnels. Goal: well below a microsecond for a host that was asked for before.
import { expect, test } from "vitest"
import { RouteTable } from "../../src/routing/route-table.ts"

function table(routesOf: (index: number) => readonly string[]): RouteTable {
  const made = new RouteTable({ domain: undefined })
  for (let index = 0; index < 1000; index++)
    made.set({ name: `tunnel-${index}`, routes: routesOf(index), stripPrefix: false })
  return made
}

test("routing", async ({ bench }) => {
  const byName = table(() => [])
  const byHost = table((index) => [`host-${index}.example`])
  const byPath = table((index) => [`shop.example/api/part-${index}`])
  await bench("by name", () => byName.match("tunnel-500.edge.example:8080", "/api/items?page=2")).run()
  await bench("by exact host", () => byHost.match("host-500.example", "/api/items?page=2")).run()
  await bench("by the last of 1,000 prefixes of one host", () =>
    byPath.match("shop.example", "/api/part-0/x")).run()
  let index = 0
  await bench("a host that was not asked for before", () => byHost.match(`x${index++}.example`, "/")).run()
  expect(byHost.match("host-500.example", "/")?.tunnel).toBe("tunnel-500")
})
