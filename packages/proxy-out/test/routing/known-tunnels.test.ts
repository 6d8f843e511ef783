// What an edge answers while it does not know yet which tunnels there are.
import { describe, expect, test } from "vitest"
import type { KnownTunnel } from "../../src/routing/route-table.ts"
import { KnownTunnels } from "../../src/routing/known-tunnels.ts"
import type { TunnelStore, TunnelStoreSink } from "../../src/routing/tunnel-store.ts"

/** A store that is out of reach until the test says what is in it. */
class AwayStore implements TunnelStore {
  sink: TunnelStoreSink | undefined

  start(sink: TunnelStoreSink): Promise<void> {
    this.sink = sink
    return Promise.resolve()
  }

  readonly saved: KnownTunnel[] = []

  save(tunnel: KnownTunnel): void {
    this.saved.push(tunnel)
  }

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

describe("tunnels of one named token", () => {
  const tunnel = (name: string, token?: string): KnownTunnel => ({
    name,
    routes: [],
    stripPrefix: false,
    token,
  })

  async function filled(): Promise<{ tunnels: KnownTunnels; store: AwayStore }> {
    const world = await known(undefined)
    for (let count = 0; count < 10_000; count++) world.tunnels.claim(tunnel(`preview-${count}`, "ci"))
    return world
  }

  test("are 10,000 at most, and the next one is told so", async () => {
    const { tunnels } = await filled()
    expect(tunnels.claim(tunnel("preview-10000", "ci"))).toEqual({ kind: "full", of: "token", most: 10_000 })
  })

  test("leave room for those of other tokens and of the operator's own", async () => {
    const { tunnels } = await filled()
    expect([tunnels.claim(tunnel("a", "other")).kind, tunnels.claim(tunnel("b")).kind]).toEqual([
      "granted",
      "granted",
    ])
  })

  test("can still be served when there are that many", async () => {
    const { tunnels } = await filled()
    expect(tunnels.claim({ ...tunnel("preview-7", "ci"), routes: ["a.example"] })).toEqual({
      kind: "granted",
    })
  })

  test("do not become another token's by being served with it", async () => {
    const { tunnels, store } = await known(undefined)
    tunnels.claim(tunnel("shop", "first"))
    tunnels.claim({ ...tunnel("shop", "second"), routes: ["a.example"] })
    expect(store.saved.map(({ token }) => token)).toEqual(["first", "first"])
  })

  test("make room when one is forgotten", async () => {
    const { tunnels, store } = await filled()
    store.sink?.onTunnels([...tunnels.all].slice(1))
    expect(tunnels.claim(tunnel("preview-10000", "ci"))).toEqual({ kind: "granted" })
  })
})
