// How many exchanges an agent takes at a time, and that connections which have switched protocols have a limit of their own.
import { deafSink, OpenFrame, openKind, Session } from "@restante/protocol"
import { expect, test } from "vitest"
import { Replays } from "../src/replays.ts"
import type { UpstreamPool } from "../src/upstream/pool.ts"
import { poolFor, rawServer, requestHead, until } from "./upstream/support.ts"
import type { RawServer } from "./upstream/support.ts"

const silent = requestHead("GET /silent")
const asks = requestHead("GET /", "Connection: Upgrade", "Upgrade: any")
const switching = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n"

/** An upstream that switches protocols when it is asked to, and answers nothing else. */
const upstream = (): Promise<RawServer> =>
  rawServer((socket) => {
    socket.once("data", (bytes) => {
      if (bytes.includes("Upgrade: any")) socket.write(switching)
    })
  })

class Running {
  readonly replays: Replays
  readonly #pool: UpstreamPool
  readonly #heard: string[] = []
  readonly #out = new Session({ sink: deafSink, onOutput: () => undefined })
  readonly #edge = new Session({
    sink: {
      ...deafSink,
      onHead: (stream, _flags, head) => this.#heard.push(`${stream} ${head.slice(9, 12)}`),
      onReset: (stream, code) => this.#heard.push(`${stream} ${code}`),
    },
    onOutput: () => undefined,
  })

  constructor(server: RawServer, limits: { readonly concurrency: number; readonly maxUpgrades: number }) {
    this.#pool = poolFor(server.address)
    this.replays = new Replays({
      ...limits,
      pool: this.#pool,
      hostHeader: { kind: "preserve" },
      now: () => performance.now(),
      link: () => ({ out: this.#out, congested: false, flush: () => undefined }),
      onSettled: () => undefined,
    })
  }

  /** Heads and resets that the edge has been told, in order. */
  get heard(): readonly string[] {
    for (let parts = this.#out.nextMessage(1); parts !== undefined; parts = this.#out.nextMessage(1))
      this.#edge.receive(Buffer.concat(parts))
    return this.#heard
  }

  open(stream: number, head: string): void {
    const kind = head === asks ? openKind.upgrade : openKind.http
    this.replays.onOpen(stream, new OpenFrame(kind, kind === openKind.upgrade, "", head, undefined))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.replays.abandon()
    await this.#pool.close()
  }
}

test("more than the concurrency is handed back", async () => {
  await using server = await upstream()
  await using running = new Running(server, { concurrency: 1, maxUpgrades: 5 })
  running.open(1, silent)
  running.open(2, silent)
  expect(running.heard).toEqual(["2 agent_overloaded"])
})

test("what has switched protocols takes no place of the concurrency", async () => {
  await using server = await upstream()
  await using running = new Running(server, { concurrency: 1, maxUpgrades: 5 })
  running.open(1, asks)
  await until(() => running.heard.includes("1 101"))
  running.open(2, silent)
  expect([running.heard, running.replays.active]).toEqual([["1 101"], 2])
})

test("what has not switched yet does", async () => {
  await using server = await rawServer(() => undefined)
  await using running = new Running(server, { concurrency: 1, maxUpgrades: 5 })
  running.open(1, asks)
  running.open(2, silent)
  expect(running.heard).toEqual(["2 agent_overloaded"])
})

test("more switched connections than allowed are refused, until one has ended", async () => {
  await using server = await upstream()
  await using running = new Running(server, { concurrency: 9, maxUpgrades: 1 })
  running.open(1, asks)
  await until(() => running.heard.includes("1 101"))
  running.open(2, asks)
  running.replays.onReset(1, "cancelled")
  running.open(3, asks)
  await until(() => running.heard.includes("3 101"))
  expect(running.heard).toEqual(["1 101", "2 upgrade_limit", "3 101"])
})
