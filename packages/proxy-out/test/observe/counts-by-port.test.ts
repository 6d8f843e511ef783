// What is counted for each port, within limits.
import { expect, test } from "vitest"
import { CountsByPort } from "../../src/observe/counts-by-port.ts"

test("ports beyond the first 256 share one count of their kind", () => {
  const counts = new CountsByPort((tunnel) => tunnel)
  for (let port = 1; port <= 300; port++) counts.of({ kind: "tcp", tunnel: "shop", port }).accepted++
  const all = [...counts].map(({ tunnel, port, traffic }) => ({ tunnel, port, accepted: traffic.accepted }))
  expect([all.length, all[0], all.at(-1)]).toEqual([
    257,
    { tunnel: "shop", port: "1", accepted: 1 },
    { tunnel: "other", port: "other", accepted: 44 },
  ])
})

test("a port that is opened again goes on with its counts", () => {
  const counts = new CountsByPort((tunnel) => tunnel)
  const place = { kind: "udp", tunnel: "shop", port: 53 } as const
  expect(counts.of(place)).toBe(counts.of(place))
})

test("the bytes of connections that are still open are counted, and once only", () => {
  const traffic = new CountsByPort((tunnel) => tunnel).of({ kind: "tcp", tunnel: "shop", port: 1 })
  const stream = { waiting: false, fromClientBytes: 5, toClientBytes: 7 }
  traffic.begun(stream)
  const open = [traffic.fromClientBytes, traffic.toClientBytes]
  traffic.over(stream, "closed")
  expect([open, [traffic.fromClientBytes, traffic.toClientBytes]]).toEqual([
    [5, 7],
    [5, 7],
  ])
})
