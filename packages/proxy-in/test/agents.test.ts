import { Secret } from "@restante/protocol"
import { pino } from "pino"
import { describe, expect, test } from "vitest"
import type { AgentOptions } from "../src/agent-options.ts"
import { Agents } from "../src/agents.ts"
import { statusOf } from "./status/statuses.ts"

describe("several tunnels", () => {
  test("start together and stop together", async () => {
    const world = new World()
    const agents = world.agents([tunnel("shop"), tunnel("blog")])
    await agents.start()
    await agents.stop()
    expect(world.events).toEqual(["start shop", "start blog", "stop shop", "stop blog"])
  })

  test("are stopped once, however often that is asked", async () => {
    const world = new World()
    const agents = world.agents([tunnel("shop")])
    await agents.start()
    await Promise.all([agents.stop(), agents.stop()])
    expect(world.events).toEqual(["start shop", "stop shop"])
  })

  test("are all in the status, in the order of the configuration, with the first one at the top", () => {
    const status = new World().agents([tunnel("shop"), tunnel("blog")]).status()
    expect(status.tunnel).toBe("shop")
    expect(status.tunnels.map(({ tunnel: name }) => name)).toEqual(["shop", "blog"])
  })

  test.each([[[]], [[tunnel("shop"), tunnel("shop")]]])(
    "%# no tunnel, or two of one name, is refused",
    (tunnels) => {
      expect(() => new World().agents(tunnels)).toThrow("at least one tunnel, and each name once")
    },
  )
})

describe("a new configuration", () => {
  test("that is the same touches nothing", async () => {
    const world = new World()
    const agents = world.agents([tunnel("shop"), tunnel("blog")])
    await agents.start()
    expect(await agents.apply([tunnel("blog"), tunnel("shop")])).toEqual({
      added: [],
      removed: [],
      changed: [],
    })
    expect(world.events).toEqual(["start shop", "start blog"])
    expect(agents.status().tunnels.map(({ tunnel: name }) => name)).toEqual(["blog", "shop"])
  })

  test("starts what is new and stops what is gone, and nothing else", async () => {
    const world = new World()
    const agents = world.agents([tunnel("shop"), tunnel("blog")])
    await agents.start()
    world.events.length = 0
    const applied = await agents.apply([tunnel("shop"), tunnel("wiki")])
    expect(applied).toEqual({ added: ["wiki"], removed: ["blog"], changed: [] })
    expect(world.events).toEqual(["start wiki", "stop blog"])
  })

  test.each<[string, Partial<AgentOptions>]>([
    ["upstream", { server: { kind: "unix", path: "/run/app.sock", basePath: "" } }],
    ["edge", { external: new URL("https://other.example") }],
    ["token", { token: new Secret("another-token") }],
    ["concurrency", { concurrency: 7 }],
  ])("with another %s starts that tunnel anew before it stops the old one", async (_what, difference) => {
    const world = new World()
    const agents = world.agents([tunnel("shop"), tunnel("blog")])
    await agents.start()
    world.events.length = 0
    const applied = await agents.apply([tunnel("shop", difference), tunnel("blog")])
    expect(applied).toEqual({ added: [], removed: [], changed: ["shop"] })
    expect(world.events).toEqual(["start shop", "stop shop"])
  })

  test("does not wait for what an old agent still has to finish, but stopping does", async () => {
    const world = new World()
    const finishing = Promise.withResolvers<void>()
    world.finishing = finishing.promise
    const agents = world.agents([tunnel("shop"), tunnel("blog")])
    await agents.start()
    await agents.apply([tunnel("shop")])
    let stopped = false
    const stopping = agents.stop().then(() => (stopped = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(stopped).toBe(false)
    finishing.resolve()
    await stopping
    expect(world.events.slice(2)).toEqual(["stop blog", "stop shop"])
  })

  test("after the end changes nothing", async () => {
    const world = new World()
    const agents = world.agents([tunnel("shop")])
    await agents.stop()
    expect(await agents.apply([tunnel("blog")])).toEqual({ added: [], removed: [], changed: [] })
    expect(world.events).toEqual(["stop shop"])
  })
})

/** Agents that only tell what is done to them. */
class World {
  readonly events: string[] = []
  finishing: Promise<void> = Promise.resolve()

  agents(tunnels: readonly AgentOptions[]): Agents {
    return new Agents(tunnels, (options) => ({
      start: () => {
        this.events.push(`start ${options.tunnel}`)
        return Promise.resolve()
      },
      stop: () => {
        this.events.push(`stop ${options.tunnel}`)
        return this.finishing
      },
      status: () => statusOf({ tunnel: options.tunnel }),
    }))
  }
}

function tunnel(name: string, differences: Partial<AgentOptions> = {}): AgentOptions {
  return {
    server: { kind: "tcp", host: "127.0.0.1", port: 3000, tls: false, basePath: "", ca: undefined },
    external: new URL("https://edge.example"),
    externalCa: undefined,
    tunnel: name,
    token: new Secret("a-token-for-these-tests"),
    transport: "auto",
    concurrency: 1024,
    hostHeader: { kind: "preserve" },
    log: pino({ level: "silent" }),
    ...differences,
  }
}
