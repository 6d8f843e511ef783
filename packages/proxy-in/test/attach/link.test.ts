// One session and what carries it, against an edge that streams, buffers, refuses, falls silent or forgets. Time is the test's.
import { deafSink, FrameWriter, messageHeaderBytes, putMessageHeader, Secret } from "@restante/protocol"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { Transport } from "../../src/agent-options.ts"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import { Link } from "../../src/attach/link.ts"
import { FakeEdge, sessionId } from "./fake-edge.ts"
import type { Streaming } from "./fake-edge.ts"
import { turns, turnsUntil } from "../../../../test/support/turns.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
})

afterEach(() => {
  vi.useRealTimers()
})

class Linked implements AsyncDisposable {
  readonly edge = new FakeEdge()
  readonly troubles: string[] = []
  readonly overs: string[] = []
  /** Frames that came down, in order. */
  readonly heard: string[] = []
  alives = 0
  writables = 0
  roundTrips = 0
  /** Ways that messages travelled after the first one. */
  readonly transports: string[] = []
  readonly #transport: Transport
  #client: EdgeClient | undefined
  #link: Link | undefined

  private constructor(transport: Transport) {
    this.#transport = transport
  }

  static async start(streaming: Streaming, transport: Transport = "poll"): Promise<Linked> {
    const linked = new Linked(transport)
    linked.edge.streaming = streaming
    await linked.edge.start()
    linked.#client = new EdgeClient({ external: linked.edge.url, ca: undefined, token: new Secret("token") })
    linked.#link = linked.#newLink(linked.#client)
    linked.#link.start()
    await turnsUntil("polls to wait", () => linked.edge.waitingPolls === 2 || linked.edge.streams)
    return linked
  }

  get link(): Link {
    return this.#link!
  }

  /** Lets that much time pass, and the network do its work in it. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      vi.advanceTimersByTime(Math.min(left, stepMs))
      // oxlint-disable-next-line no-await-in-loop -- time and network in turns
      await turns(4)
    }
  }

  /** Something that goes up, and that the edge can tell from others. */
  says(stream: number): void {
    this.link.out.end(stream)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.end()
    await this.#client?.close()
    await this.edge[Symbol.asyncDispose]()
  }

  #newLink(client: EdgeClient): Link {
    const ignore = (): void => {}
    return new Link({
      client,
      welcome: { session: sessionId, resumeSeconds: 30, pollSeconds: 25, ports: [] },
      transport: this.#transport,
      clock: { now: () => Date.now(), random: () => 1 },
      sink: {
        ...deafSink,
        onEnd: (stream) => this.heard.push(`end ${stream}`),
      },
      onAlive: () => this.alives++,
      onTrouble: ({ code }) => this.troubles.push(code),
      onTransport: (carriedOn) => this.transports.push(carriedOn),
      onRoundTrip: () => this.roundTrips++,
      onReleased: ignore,
      onOver: ({ code }) => this.overs.push(code),
      onWritable: () => this.writables++,
    })
  }
}

const stepMs = 250

describe("a path that streams", () => {
  test("is found out, and messages come down one answer", async () => {
    await using linked = await Linked.start("passes")
    await turnsUntil("the streamed poll", () => linked.edge.streams)
    for (let stream = 1; stream <= 20; stream++) {
      linked.edge.session.end(stream)
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      await turnsUntil("it to arrive", () => linked.heard.length === stream)
    }
    expect([linked.edge.count("poll", true), linked.edge.count("poll", false)]).toEqual([1, 2])
  })

  test("is found out, and messages go up one body", async () => {
    await using linked = await Linked.start("passes")
    await turnsUntil("the proof", () => linked.roundTrips > 0 && linked.edge.count("push", true) === 1)
    await turns(50)
    const pushesBefore = linked.edge.count("push", false)
    for (let stream = 1; stream <= 20; stream++) {
      linked.says(stream)
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      await turnsUntil("it to arrive", () => linked.edge.heard.length === stream)
    }
    expect([linked.edge.count("push", true), linked.edge.count("push", false) - pushesBefore]).toEqual([1, 0])
  })

  test("is streamed on again soon after it was cut", async () => {
    await using linked = await Linked.start("passes")
    await turnsUntil("the streamed poll", () => linked.edge.streams)
    linked.edge.cut()
    await turnsUntil("the cut to be noticed", () => !linked.edge.streams)
    await linked.pass(2000)
    expect(linked.edge.streams).toBe(true)
  })

  test("gets a new answer before the old one is old enough to make middleboxes nervous", async () => {
    await using linked = await Linked.start("passes")
    await turnsUntil("the streamed poll", () => linked.edge.streams)
    await linked.pass(250_000)
    expect(linked.edge.count("poll", true)).toBe(2)
  })
})

describe("a path that holds answers and bodies back until they are whole", () => {
  test("carries messages down with short polls, from the first moment on", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.session.end(1)
    await turnsUntil("it to arrive", () => linked.heard.length === 1)
    expect(linked.heard).toEqual(["end 1"])
  })

  test("carries messages up with short pushes, from the first moment on", async () => {
    await using linked = await Linked.start("holds")
    linked.says(1)
    await turnsUntil("it to arrive", () => linked.edge.heard.length === 1)
    expect(linked.edge.heard).toEqual(["end 1"])
  })

  test("is asked again after 30 s, and then less and less often", async () => {
    await using linked = await Linked.start("holds")
    const counts: number[] = []
    for (const seconds of [25, 15, 40, 30, 90, 50]) {
      // oxlint-disable-next-line no-await-in-loop -- one stretch of time after the other
      await linked.pass(seconds * 1000)
      counts.push(linked.edge.count("poll", true))
    }
    expect(counts).toEqual([1, 2, 2, 3, 3, 4])
  })

  test("is no trouble", async () => {
    await using linked = await Linked.start("holds")
    await linked.pass(10_000)
    expect(linked.troubles).toEqual([])
  })

  test("has two polls waiting at the edge again after each message, and never more", async () => {
    await using linked = await Linked.start("holds")
    const waiting: number[] = []
    for (let stream = 1; stream <= 3; stream++) {
      linked.edge.session.end(stream)
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      await turnsUntil("it to arrive", () => linked.heard.length === stream)
      // oxlint-disable-next-line no-await-in-loop -- likewise
      await linked.pass(500)
      waiting.push(linked.edge.waitingPolls)
    }
    expect(waiting).toEqual([2, 2, 2])
  })
})

describe("a path that refuses bodies without a length", () => {
  test("is not asked again and again", async () => {
    await using linked = await Linked.start("refuses")
    await linked.pass(25_000)
    expect([linked.edge.count("poll", true), linked.edge.count("push", true)]).toEqual([1, 1])
  })

  test("is no trouble: the short ones carry", async () => {
    await using linked = await Linked.start("refuses")
    linked.says(1)
    linked.edge.session.end(2)
    await turnsUntil("both to arrive", () => linked.edge.heard.length === 1 && linked.heard.length === 1)
    expect(linked.troubles).toEqual([])
  })
})

describe("what is lost with its carrier", () => {
  test("on the way up goes again", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.instead = (request) => {
      if (!request.url?.endsWith("push")) return false
      request.socket.resetAndDestroy()
      return true
    }
    linked.says(1)
    await turnsUntil("the push to fail", () => linked.troubles.length > 0)
    linked.edge.instead = () => false
    await linked.pass(1000)
    expect(linked.edge.heard).toEqual(["end 1"])
  })

  test("on the way down is asked for again", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.session.end(1)
    linked.edge.session.nextMessage(1) // it left, and nobody saw it
    linked.edge.cut()
    await turnsUntil("the cut to be noticed", () => linked.troubles.length > 0)
    await linked.pass(1000)
    expect(linked.heard).toEqual(["end 1"])
  })

  test("without any sign is asked for when what came later shows it", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.session.end(1)
    linked.edge.session.nextMessage(1) // it left, and nobody saw it
    linked.edge.session.end(2)
    await linked.pass(3000)
    expect(linked.heard).toEqual(["end 1", "end 2"])
  })

  test("with a streamed body goes again on what carries then", async () => {
    await using linked = await Linked.start("passes")
    await turnsUntil("the proof", () => linked.roundTrips > 0)
    await turns(50)
    linked.edge.streaming = "holds"
    linked.edge.cut()
    linked.says(1)
    await linked.pass(3000)
    expect(linked.edge.heard).toEqual(["end 1"])
  })
})

describe("an edge that falls silent", () => {
  const silence = (): boolean => true

  test("is told as a trouble after 22 s", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.instead = silence
    await linked.pass(24_000)
    expect(linked.troubles).toContain("timeout")
  })

  test("is looked for on new connections", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.instead = silence
    const before = new Set(linked.edge.sockets)
    await linked.pass(25_000)
    expect([...linked.edge.sockets].some((socket) => !before.has(socket))).toBe(true)
  })

  test("and speaks again in time carries the same session on", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.instead = silence
    linked.says(1)
    await linked.pass(30_000)
    linked.edge.instead = () => false
    await linked.pass(20_000)
    expect([linked.edge.heard, linked.overs]).toEqual([["end 1"], []])
  })

  test("for longer than it keeps a session ends it", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.instead = silence
    await linked.pass(56_000)
    expect(linked.overs).toEqual(["session_over"])
  })

  test("is not taken for alive because a poll was given up", async () => {
    await using linked = await Linked.start("holds")
    await turnsUntil("the first PONG", () => linked.roundTrips > 0)
    linked.edge.instead = silence
    const before = linked.alives
    await linked.pass(50_000)
    expect(linked.alives).toBe(before)
  })
})

describe("a session that is over", () => {
  test("because the edge does not know it ends the link, once", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.instead = (_request, response) => {
      response.writeHead(410).end('{"code":"session_unknown"}')
      return true
    }
    linked.says(1)
    await linked.pass(2000)
    expect(linked.overs).toEqual(["session_over"])
  })

  test("because a message broke it ends the link, whichever carrier brought it", async () => {
    await using linked = await Linked.start("holds")
    linked.edge.answerPoll(brokenMessage())
    await linked.pass(2000)
    expect(linked.overs).toEqual(["session_over"])
  })

  test("asks for nothing more", async () => {
    await using linked = await Linked.start("holds")
    linked.link.end()
    await linked.pass(500) // what was on its way arrives
    const asked = linked.edge.asked.length
    await linked.pass(60_000)
    expect([linked.edge.asked.length - asked, linked.edge.waitingPolls]).toEqual([0, 0])
  })
})

describe("the owner of the link", () => {
  test("learns that the edge answers", async () => {
    await using linked = await Linked.start("passes")
    await turnsUntil("a PONG", () => linked.roundTrips > 0)
    expect(linked.alives).toBeGreaterThan(0)
  })

  test("learns soon that an outage is over, although nobody has anything to say", async () => {
    await using linked = await Linked.start("refuses")
    await linked.pass(1000) // streaming has been refused by now, and is not tried again meanwhile
    linked.edge.instead = (request) => {
      request.socket.resetAndDestroy()
      return true
    }
    linked.edge.cut()
    await linked.pass(3000)
    linked.edge.instead = () => false
    const before = linked.alives
    await linked.pass(4000)
    expect(linked.alives).toBeGreaterThan(before)
  })

  test("learns that polls are never answered, and they are replaced", async () => {
    await using linked = await Linked.start("holds")
    await linked.pass(500)
    linked.edge.instead = (request) => request.url?.endsWith("poll") === true
    linked.edge.session.end(1)
    await linked.pass(500)
    const before = linked.edge.count("poll", false)
    await linked.pass(40_000)
    expect([linked.troubles.includes("timeout"), linked.edge.count("poll", false) > before]).toEqual([
      true,
      true,
    ])
  })

  test("learns that everything said has reached the edge", async () => {
    await using linked = await Linked.start("holds")
    linked.says(1)
    const before = linked.link.settled
    await linked.pass(1000)
    expect([before, linked.link.settled]).toEqual([false, true])
  })

  test("is held back when too much is on its way up, and let go when it has arrived", async () => {
    await using linked = await Linked.start("holds")
    const chunk = Buffer.alloc(256 * 1024)
    let sentBytes = 0
    while (!linked.link.congested && sentBytes < 100_000_000) {
      linked.link.out.data(1, chunk)
      sentBytes += chunk.length
    }
    await turnsUntil("room again", () => linked.writables > 0)
    expect([sentBytes <= 9 * 1024 * 1024, linked.link.congested]).toEqual([true, false])
  })

  test("sees on what the messages travel", async () => {
    await using linked = await Linked.start("holds")
    expect(linked.link.carriedOn).toBe("poll")
  })
})

describe("auto, where the path knows no upgrade", () => {
  test("stays with polls, and that is no trouble", async () => {
    await using linked = await Linked.start("holds", "auto")
    linked.edge.session.end(1)
    await linked.pass(10_000)
    expect([linked.link.carriedOn, linked.heard, linked.troubles]).toEqual(["poll", ["end 1"], []])
  })
})

/** A frame that may not be in an unnumbered message. */
function brokenMessage(): Buffer {
  const writer = new FrameWriter({ headroomBytes: messageHeaderBytes })
  writer.end(1, "")
  const message = Buffer.concat(writer.take() ?? [])
  putMessageHeader(message, message.length - messageHeaderBytes, 0, 0)
  return message
}
