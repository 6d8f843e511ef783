// How wrong tokens are counted.
import { describe, expect, test } from "vitest"
import { FailedAttempts } from "../../src/credentials/failed-attempts.ts"

class Minute {
  now = 1_000_000
  readonly attempts = new FailedAttempts({
    clock: { now: () => this.now },
    mostPerMinute: 3,
    mostAddresses: 4,
  })

  /** Retry-After of each, undefined for an ordinary refusal. */
  note(address: string, times: number): (number | undefined)[] {
    return Array.from({ length: times }, () => this.attempts.note(address).retryAfterSeconds)
  }
}

describe("an address", () => {
  test("has so many in a minute, and is told when the next minute begins", () => {
    const minute = new Minute()
    minute.note("192.0.2.1", 2)
    minute.now += 20_500
    expect(minute.note("192.0.2.1", 3)).toEqual([undefined, 40, 40])
  })

  test("begins anew after a minute", () => {
    const minute = new Minute()
    minute.note("192.0.2.1", 5)
    minute.now += 60_000
    expect(minute.note("192.0.2.1", 1)).toEqual([undefined])
  })

  test("does not count for another", () => {
    const minute = new Minute()
    minute.note("192.0.2.1", 5)
    expect(minute.note("192.0.2.2", 1)).toEqual([undefined])
  })

  test("is worth a line in the log once a minute, which says how many more there were", () => {
    const minute = new Minute()
    const first = [1, 2, 3].map(() => minute.attempts.note("192.0.2.1").first)
    minute.now += 61_000
    const { first: again, before } = minute.attempts.note("192.0.2.1")
    expect([first, again, before]).toEqual([[true, false, false], true, 2])
  })

  test.each([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"],
    ["2001:db8::1", "2001:0db8:0:0:1::"],
    ["::1", "0:0:0:0:5::"],
    ["fe80::1%eth0", "fe80::2"],
  ])("%s and %s are one network", (one, other) => {
    const minute = new Minute()
    minute.note(one, 3)
    expect(minute.note(other, 1)).toEqual([60])
  })

  test.each([
    ["2001:db8:1:2::1", "2001:db8:1:3::1"],
    ["2001:db8::1", "2001:db9::1"],
  ])("%s and %s are two networks", (one, other) => {
    const minute = new Minute()
    minute.note(one, 3)
    expect(minute.note(other, 1)).toEqual([undefined])
  })
})

test("however many addresses there are, only so many are kept", () => {
  const minute = new Minute()
  for (let index = 0; index < 1000; index++) minute.note(`10.0.${index >> 8}.${index & 255}`, 1)
  expect(minute.attempts.size).toBe(4)
})
