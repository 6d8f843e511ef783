// What the owner of a link learns from it, the session's end included.
import { FrameWriter, messageHeaderBytes, putMessageHeader } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { turnsUntil } from "../../../../test/support/turns.ts"
import { Linked } from "./linked.ts"

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

/** A frame that may not be in an unnumbered message. */
function brokenMessage(): Buffer {
  const writer = new FrameWriter({ headroomBytes: messageHeaderBytes })
  writer.end(1, "")
  const message = Buffer.concat(writer.take() ?? [])
  putMessageHeader(message, message.length - messageHeaderBytes, 0, 0)
  return message
}
