import {
  assert,
  array,
  constantFrom,
  nat,
  property,
  record,
  string,
  uint8Array,
  boolean,
  option,
} from "fast-check"
import { openKind } from "@restante/protocol"
import { describe, expect, test } from "vitest"
import { decodeTickets, encodeTickets, maxBatchTickets, ticketChars } from "../../src/queue/ticket-codec.ts"
import { allOctets, ticket, tickets } from "./kit.ts"

const octets = uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const word = string({ minLength: 1, maxLength: 64, unit: constantFrom("a", "Z", "0", "_", "-") })

const anyTicket = record({
  id: word,
  attempt: nat(254).map((attempt) => attempt + 1),
  deadlineAt: nat(),
  kind: constantFrom(openKind.http, openKind.upgrade, openKind.tcp, openKind.udp),
  idempotent: boolean(),
  bodyFollows: boolean(),
  head: octets.map((bytes) => `${bytes.toString("latin1")}\r\n\r\n`),
  body: option(octets, { nil: undefined }),
  record: record({
    clientAddress: constantFrom("", "203.0.113.7", "2001:db8::1", "a,b;c"),
    scheme: constantFrom("http" as const, "https" as const),
    traceparent: constantFrom(undefined, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
  }),
}).map((fields) => ticket(fields.id, { ...fields, tunnel: "t", owner: "edge-x" }))

describe("a batch of tickets as text", () => {
  test("comes back as it was, through JSON", () => {
    assert(
      property(array(anyTicket, { minLength: 1, maxLength: 20 }), (batch) => {
        const text = encodeTickets("edge-x", batch)
        expect(decodeTickets("t", JSON.parse(JSON.stringify(text)))).toEqual(batch)
      }),
    )
  })

  test("is never longer than what a batch is planned with", () => {
    assert(
      property(anyTicket, (one) => {
        expect(encodeTickets("", [one]).length).toBeLessThanOrEqual(ticketChars(one))
      }),
    )
  })

  test("is refused as a whole when it is cut short or has more tickets than a batch may have", () => {
    const text = encodeTickets("edge-x", [ticket("a", { body: allOctets }), ticket("b")])
    const first = encodeTickets("edge-x", [ticket("a", { body: allOctets })]).length
    for (let length = 0; length < text.length; length++) {
      if (length === first) continue
      expect(decodeTickets("t", text.slice(0, length))).toBeUndefined()
    }
    expect(decodeTickets("t", encodeTickets("edge-x", tickets(maxBatchTickets)))).toHaveLength(
      maxBatchTickets,
    )
    expect(decodeTickets("t", encodeTickets("edge-x", tickets(maxBatchTickets + 1)))).toBeUndefined()
  })

  test("with any character changed is refused or gives tickets that keep the rules", () => {
    const text = encodeTickets("edge-x", [ticket("a", { body: Buffer.from("body") }), ticket("b")])
    assert(
      property(nat(text.length - 1), nat(300), (index, code) => {
        const changed = text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1)
        for (const one of decodeTickets("t", changed) ?? []) {
          expect(one.attempt).toBeGreaterThanOrEqual(1)
          expect(one.attempt).toBeLessThanOrEqual(255)
          expect(one.id).toMatch(/^[!-~]{1,64}$/)
          expect(one.head.endsWith("\r\n\r\n")).toBe(true)
          expect(Buffer.from(one.head, "latin1").toString("latin1")).toBe(one.head)
        }
      }),
      { numRuns: 5000 },
    )
  })
})
