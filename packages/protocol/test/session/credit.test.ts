// Credit of one stream direction: bounded memory for any reader, no stall, and windows that grow only where it helps.
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ReceiveCredit, SendCredit, WindowBudget } from "../../src/session/index.ts"
import { WireError, wireLimits } from "../../src/wire/index.ts"
import { seed } from "../wire/seed.ts"

describe("the receiver's credit", () => {
  test("refuses the first byte beyond what was granted", () => {
    const credit = new ReceiveCredit(1000)
    credit.received(1000)
    expect(() => credit.received(1)).toThrow(new WireError("credit_exceeded", "1 > 0"))
  })

  test("is granted again when half the window is consumed, not before", () => {
    const credit = new ReceiveCredit(1000)
    credit.received(1000)
    expect(credit.consumed(499)).toBe(0)
    expect(credit.consumed(1)).toBe(500)
    expect(credit.consumed(499)).toBe(0)
  })

  test("doubles up to its maximum for a reader that keeps up", () => {
    const credit = new ReceiveCredit(1000, 4000)
    expect(stream(credit, 20)).toEqual([1000, 2000, 4000])
  })

  test("stays small for a reader that lags behind", () => {
    const credit = new ReceiveCredit(1000, 4000)
    credit.received(1000)
    for (let round = 0; round < 50; round++) credit.received(credit.consumed(500))
    expect(credit.windowBytes).toBe(1000)
  })

  test("grows only as far as the shared budget lasts, and gives its growth back once", () => {
    const budget = new WindowBudget(1500)
    const [first, second] = [new ReceiveCredit(1000, 4000, budget), new ReceiveCredit(1000, 4000, budget)]
    expect(stream(first, 20)).toEqual([1000, 2000])
    expect(stream(second, 20)).toEqual([1000])
    first.release()
    first.release()
    expect(budget.leftBytes).toBe(1500)
    expect(stream(second, 20)).toEqual([1000, 2000])
  })

  test("refuses a maximum that no peer would accept", () => {
    expect(() => new ReceiveCredit(1000, wireLimits.maxWindowBytes + 1)).toThrow(RangeError)
  })
})

describe("the sender's credit", () => {
  test("cannot be overdrawn", () => {
    const credit = new SendCredit(10)
    credit.take(10)
    expect(() => credit.take(1)).toThrow(RangeError)
  })

  test("refuses a grant beyond the largest window", () => {
    const credit = new SendCredit(10, 100)
    credit.grant(90)
    expect(() => credit.grant(1)).toThrow(new WireError("credit_overflow", "100 + 1"))
  })
})

test("any body passes any reader with bounded buffering and without a stall", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 60, size: "max" })
  fc.assert(
    fc.property(
      fc.integer({ min: 50, max: 2000 }),
      fc.integer({ min: 1, max: 8 }),
      fc.nat({ max: 5000 }),
      sizes,
      fc.infiniteStream(fc.nat({ max: 9 })),
      (initialBytes, factor, budgetBytes, chunks, schedule) => {
        const budget = new WindowBudget(budgetBytes)
        const maxBytes = initialBytes * factor
        const sender = new SendCredit(initialBytes, maxBytes)
        const receiver = new ReceiveCredit(initialBytes, maxBytes, budget)
        let toSend = chunks.reduce((sum, bytes) => sum + bytes, 0)
        const [data, grants]: [number[], number[]] = [[], []]
        let chunk = 0

        // Idle steps are possible by chance, a stall is not: each kind of step comes up again and again.
        for (let step = 0; toSend > 0 || data.length > 0 || receiver.bufferedBytes > 0; step++) {
          if (step > 200_000) throw new Error("stalled")
          const action = schedule.next().value ?? 0
          if (action < 4) {
            const bytes = Math.min(toSend, sender.available, chunks[chunk++ % chunks.length] ?? 1)
            if (bytes > 0) {
              sender.take(bytes)
              data.push(bytes)
              toSend -= bytes
            }
          } else if (action < 6) {
            receiver.received(data.shift() ?? 0)
          } else if (action < 8) {
            const bytes = Math.min(receiver.bufferedBytes, chunks[chunk++ % chunks.length] ?? 1)
            const grant = bytes === 0 ? 0 : receiver.consumed(bytes)
            if (grant > 0) grants.push(grant)
          } else {
            const grant = grants.shift()
            if (grant !== undefined) sender.grant(grant)
          }
          const { bufferedBytes, windowBytes } = receiver
          if (bufferedBytes > windowBytes || windowBytes > Math.min(maxBytes, initialBytes + budgetBytes))
            throw new Error(`${bufferedBytes} buffered in a window of ${windowBytes}`)
          if (budget.leftBytes < 0) throw new Error("budget overdrawn")
        }
        receiver.release()
        expect(budget.leftBytes).toBe(budgetBytes)
      },
    ),
    { seed, numRuns: 150 },
  )
})

/** A fast reader: everything is consumed as it comes. Returns the window sizes seen, in order. */
function stream(credit: ReceiveCredit, rounds: number): number[] {
  const sizes = new Set([credit.windowBytes])
  let available = credit.windowBytes
  for (let round = 0; round < rounds; round++) {
    const bytes = Math.min(available, 250)
    credit.received(bytes)
    available += credit.consumed(bytes) - bytes
    sizes.add(credit.windowBytes)
  }
  return [...sizes]
}
