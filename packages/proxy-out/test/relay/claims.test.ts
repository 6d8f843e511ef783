// Claims: which edge gets an exchange whose client is at another one.
import { describe, expect, test } from "vitest"
import { FakeExchange } from "../support/leasables.ts"
import { TwoEdges } from "../support/two-edges.ts"

describe("a claim", () => {
  test("of an exchange that waits is granted", async () => {
    const edges = new TwoEdges()
    const exchange = await edges.shared()
    expect([edges.claims, exchange.heard]).toEqual([["granted"], ["leased"]])
  })

  test("of an exchange that is over is refused", async () => {
    const edges = new TwoEdges()
    await edges.claim(new FakeExchange("gone", { owner: "owner" }).ticket)
    expect(edges.claims).toEqual(["refused"])
  })

  test("of an exchange that somebody serves already is refused", async () => {
    const edges = new TwoEdges()
    const exchange = edges.exchange("a")
    exchange.waiting = false
    await edges.claim(exchange.ticket)
    expect([edges.claims, exchange.heard]).toEqual([["refused"], []])
  })

  test("with an old ticket does not win over the newer attempt", async () => {
    const edges = new TwoEdges()
    const exchange = edges.exchange("a", { attempt: 2 })
    await edges.claim({ ...exchange.ticket, attempt: 1 })
    expect([edges.claims, exchange.heard]).toEqual([["refused"], []])
  })

  test("of two edges is granted to one", async () => {
    const edges = new TwoEdges()
    const exchange = edges.exchange("a")
    await Promise.all([edges.claim(exchange.ticket), edges.claim(exchange.ticket)])
    expect([edges.claims.toSorted(), exchange.heard]).toEqual([["granted", "refused"], ["leased"]])
  })

  test("that was granted in vain, because the agents have gone, is handed back unbegun", async () => {
    const edges = new TwoEdges()
    edges.agentsLeft = false
    const exchange = await edges.shared()
    expect(exchange.heard).toEqual(["leased", "reset agent_stopping"])
  })

  test("is refused when its owner is lost", async () => {
    const edges = new TwoEdges()
    edges.lessee.claim(
      edges.exchange("a").ticket,
      () => edges.claims.push("granted"),
      () => edges.claims.push("refused"),
    )
    edges.lessee.lost("owner")
    expect(edges.claims).toEqual(["refused"])
  })
})
