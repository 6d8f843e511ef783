// What an edge answers while it does not know yet which tunnels there are.
import { expect, test } from "vitest"
import { KnownTunnels } from "../../src/routing/known-tunnels.ts"
import type { TunnelStore, TunnelStoreSink } from "../../src/routing/tunnel-store.ts"

/** A store that is out of reach until the test says what is in it. */
class AwayStore implements TunnelStore {
  sink: TunnelStoreSink | undefined

  start(sink: TunnelStoreSink): Promise<void> {
    this.sink = sink
    return Promise.resolve()
  }

  save(): void {}

  stop(): Promise<void> {
    return Promise.resolve()
  }
}

async function known(domain: string | undefined): Promise<{ tunnels: KnownTunnels; store: AwayStore }> {
  const store = new AwayStore()
  const tunnels = new KnownTunnels({ store, domain, isServed: () => false, onTaken: () => undefined })
  await tunnels.start()
  return { tunnels, store }
}

test.each([
  ["shop.edge.example", "shop"],
  ["SHOP.edge.example:8080", "shop"],
  ["edge.example", "default"],
  ["other.example", "default"],
  [undefined, "default"],
])("while the store is out of reach a request for %s is held for the tunnel %s", async (host, tunnel) => {
  const { tunnels } = await known("edge.example")
  expect(tunnels.match(host, "/")).toEqual({ tunnel, strip: "" })
})

test("a name that no tunnel can have is unknown at once", async () => {
  const { tunnels } = await known("edge.example")
  expect(tunnels.match("a.b.edge.example", "/")).toBeUndefined()
})

test("a name that turns out to be in no store is unknown from then on", async () => {
  const { tunnels, store } = await known("edge.example")
  tunnels.match("shop.edge.example", "/")
  store.sink?.onTunnels([])
  expect(tunnels.match("shop.edge.example", "/")).toBeUndefined()
})

test("without a domain every request is held for the default tunnel meanwhile", async () => {
  const { tunnels, store } = await known(undefined)
  const before = tunnels.match("shop.example", "/")
  tunnels.claim({ name: "blog", routes: [], stripPrefix: false })
  const claimed = tunnels.match("shop.example", "/")
  store.sink?.onTunnels([{ name: "blog", routes: [], stripPrefix: false }])
  expect([before?.tunnel, claimed?.tunnel, tunnels.match("shop.example", "/")]).toEqual([
    "default",
    "default",
    undefined,
  ])
})
