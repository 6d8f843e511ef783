// What becomes of a link's messages and session when carriers break, and when the edge falls silent.
import { describe, expect, test } from "vitest"
import { turns, turnsUntil } from "../../../../test/support/turns.ts"
import { Linked } from "./linked.ts"

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
