// How a link carries its messages over paths that stream, hold back or refuse, and how often it asks what a path can do.
import { describe, expect, test } from "vitest"
import { turns, turnsUntil } from "../../../../test/support/turns.ts"
import { Linked } from "./linked.ts"

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

describe("auto, where the path knows no upgrade", () => {
  test("stays with polls, and that is no trouble", async () => {
    await using linked = await Linked.start("holds", "auto")
    linked.edge.session.end(1)
    await linked.pass(10_000)
    expect([linked.link.carriedOn, linked.heard, linked.troubles]).toEqual(["poll", ["end 1"], []])
  })
})
