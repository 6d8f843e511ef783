// The numbering between two edges, without Redis: whatever is dropped, doubled or begun anew, nothing is silently missing.
import { array, assert, constantFrom, oneof, property, uint8Array } from "fast-check"
import { describe, expect, test } from "vitest"
import { decodeEntry, encodeEntry } from "../../src/queue/relay-entry.ts"
import type { RelayEntry } from "../../src/queue/relay-entry.ts"
import { RelayPeer } from "../../src/queue/relay-peer.ts"

const limits = { entryBytes: 10, windowBytes: 40, backlogBytes: 10_000 }

/** One side: what it was told, as one list per time between two losses. */
class Side {
  readonly peer: RelayPeer
  readonly inbox: Buffer[] = []
  heard: string[][] = [[]]
  posted: string[][] = [[]]
  #epoch = 0

  constructor(name: string) {
    this.peer = new RelayPeer(name, () => ++this.#epoch, limits)
  }

  post(text: string): void {
    this.posted.at(-1)?.push(text)
    this.peer.post(Buffer.from(text))
  }

  restart(): void {
    this.peer.restart()
    this.#lost()
  }

  /** Processes the first entry of the inbox. */
  step(): void {
    const bytes = this.inbox.shift()
    const entry = bytes && decodeEntry(bytes)
    if (!entry) return
    const { payloads, lost } = this.peer.receive(entry)
    if (lost) this.#lost()
    for (const payload of payloads) this.heard.at(-1)?.push(payload.toString())
  }

  send(to: Side): void {
    const bytes = this.peer.take()
    if (!bytes) return
    this.peer.sent()
    to.inbox.push(bytes)
  }

  #lost(): void {
    this.heard.push([])
    this.posted.push([])
  }
}

/** Lets everything arrive that is under way, with heartbeats. */
function settle(a: Side, b: Side): void {
  for (let round = 0; round < 50; round++) {
    a.peer.speak()
    b.peer.speak()
    a.send(b)
    b.send(a)
    while (a.inbox.length > 0) a.step()
    while (b.inbox.length > 0) b.step()
  }
}

describe("two edges that exchange entries", () => {
  test("payloads arrive in order, in entries of about the wanted size", () => {
    const [a, b] = [new Side("a"), new Side("b")]
    for (let index = 0; index < 20; index++) a.post(`a${index}`)
    settle(a, b)
    expect(b.heard).toEqual(a.posted)
    expect(a.heard).toEqual([[]])
  })

  test("a sender stops at the window and goes on when it is acknowledged", () => {
    const [a, b] = [new Side("a"), new Side("b")]
    settle(a, b)
    for (let index = 0; index < 100; index++) a.post("12345")
    for (let round = 0; round < 100; round++) a.send(b)
    expect(b.inbox).toHaveLength(4)
    settle(a, b)
    settle(a, b)
    expect(b.heard[0]).toHaveLength(100)
  })

  test("more waiting than the backlog allows is refused", () => {
    const { peer } = new Side("a")
    expect(peer.post(Buffer.alloc(10_000))).toBe(true)
    expect(peer.post(Buffer.alloc(1))).toBe(false)
  })

  test("an entry that is given again before it was sent is the same one", () => {
    const { peer } = new Side("a")
    peer.post(Buffer.from("x"))
    const entry = peer.take()
    peer.post(Buffer.from("y"))
    expect(peer.take()).toBe(entry)
    peer.sent()
    expect(peer.take()).not.toBe(entry)
  })

  const action = oneof(
    { weight: 6, arbitrary: constantFrom("postA", "postB", "sendA", "sendB", "stepA", "stepB") },
    {
      weight: 1,
      arbitrary: constantFrom(
        "dropA",
        "dropB",
        "doubleA",
        "doubleB",
        "restartA",
        "restartB",
        "speakA",
        "speakB",
      ),
    },
  )

  test("what one side hears between two losses is a beginning of what the other has posted, and both agree in the end", () => {
    assert(
      property(array(action, { maxLength: 200 }), (actions) => {
        const [a, b] = [new Side("a"), new Side("b")]
        let count = 0
        for (const name of actions) {
          const [self, other] = name.endsWith("A") ? [a, b] : [b, a]
          if (name.startsWith("post")) self.post(`${count++}`)
          else if (name.startsWith("send")) self.send(other)
          else if (name.startsWith("step")) self.step()
          else if (name.startsWith("drop")) self.inbox.shift()
          else if (name.startsWith("double")) self.inbox.unshift(...self.inbox.slice(0, 1))
          else if (name.startsWith("restart")) self.restart()
          else self.peer.speak()
        }
        settle(a, b)
        // From here on nothing is lost any more: what is posted arrives.
        a.post("last of a")
        b.post("last of b")
        settle(a, b)
        expect(a.heard.at(-1)?.at(-1)).toBe("last of b")
        expect(b.heard.at(-1)?.at(-1)).toBe("last of a")
        for (const [hearer, speaker] of [
          [a, b],
          [b, a],
        ] as const) {
          expect(hearer.heard.at(-1)).toEqual(speaker.posted.at(-1))
          for (const heard of hearer.heard) {
            const posted = speaker.posted.find((list) => list.includes(heard[0] ?? ""))
            expect(heard).toEqual((posted ?? []).slice(0, heard.length))
          }
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe("an entry as bytes", () => {
  const entry: RelayEntry = {
    from: "edge-a",
    kind: "payloads",
    epoch: 2 ** 47,
    peerEpoch: 0,
    number: 2 ** 40,
    acknowledged: 7,
    payloads: [Buffer.from("one"), Buffer.alloc(0), Buffer.alloc(70_000, 1)],
  }

  test("comes back as it was", () => {
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
    expect(decodeEntry(encodeEntry({ ...entry, kind: "bye", payloads: [] }))).toEqual({
      ...entry,
      kind: "bye",
      payloads: [],
    })
  })

  test("is refused when it is cut short or is something else", () => {
    const bytes = encodeEntry({ ...entry, payloads: [Buffer.from("one"), Buffer.from("three")] })
    const whole = [bytes.length, bytes.length - 9, bytes.length - 16]
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeEntry(bytes.subarray(0, length)) === undefined).toBe(!whole.includes(length))
    }
    assert(property(uint8Array({ maxLength: 80 }), (noise) => void decodeEntry(Buffer.from(noise))))
  })
})
