// Who makes room when there are too many connections, and who does not.
import type { Socket } from "node:net"
import { expect, test } from "vitest"
import { Admission, type Guest } from "../../src/ingress/admission.ts"
import { FakeSocket } from "../support/fake-socket.ts"

/** An edge with room for forty connections, and two more that may say what they want. */
class World {
  nowMs = 0
  readonly guests: FakeGuest[] = []
  readonly admission = new Admission({ most: 40, guests: () => this.guests, now: () => this.nowMs })

  /** Connections that come and say nothing. */
  newcomers(count: number): Socket[] {
    return Array.from({ length: count }, () => {
      const socket = new FakeSocket().asSocket
      this.admission.enter(socket)
      return socket
    })
  }

  /** Connections that have been served, and are at rest since so many sweeps. */
  served(count: number, restSweeps: number): FakeGuest[] {
    return this.newcomers(count).map((under) => {
      this.admission.admit(under)
      const guest = new FakeGuest(under, restSweeps)
      this.guests.push(guest)
      return guest
    })
  }
}

class FakeGuest implements Guest {
  readonly under: Socket
  restSweeps: number
  closed = false

  constructor(under: Socket, restSweeps: number) {
    this.under = under
    this.restSweeps = restSweeps
  }

  close(): void {
    this.closed = true
  }
}

const closedOf = (guests: readonly FakeGuest[]): number => guests.filter(({ closed }) => closed).length
const destroyedOf = (sockets: readonly Socket[]): number =>
  sockets.filter(({ destroyed }) => destroyed).length

test("as long as there is room nobody has to go", () => {
  const world = new World()
  const guests = world.served(20, 100)
  const newcomers = world.newcomers(20)
  world.nowMs = 60_000
  expect([closedOf(guests), destroyedOf(newcomers), world.admission.size]).toEqual([0, 0, 40])
})

test("newcomers that have said nothing for two seconds go first, the oldest before all", () => {
  const world = new World()
  world.served(20, 100)
  const [oldest, ...others] = world.newcomers(20)
  world.nowMs = 2000
  world.newcomers(1)
  expect([oldest?.destroyed, destroyedOf(others)]).toEqual([true, 0])
})

test("then those at rest go, who has been longest before all", () => {
  const world = new World()
  world.served(38, 5)
  const [longest] = world.served(1, 9)
  world.served(1, 7)
  world.newcomers(1)
  expect([longest?.closed, closedOf(world.guests)]).toEqual([true, 1])
})

test("whoever was at rest and is served by now stays", () => {
  const world = new World()
  const [first, second, third] = [...world.served(1, 9), ...world.served(1, 7), ...world.served(1, 5)]
  world.served(37, 0)
  world.newcomers(1)
  second!.restSweeps = 0
  world.newcomers(1)
  expect([first, second, third].map((guest) => guest?.closed)).toEqual([true, false, true])
})

test("when all are served, a few more may come, and are told that they are too many", () => {
  const world = new World()
  world.served(40, 0)
  const [newcomer] = world.newcomers(1)
  expect([newcomer!.destroyed, world.admission.admit(newcomer!)]).toEqual([false, false])
})

test("whoever asks for something has more right to be there than a newcomer that says nothing", () => {
  const world = new World()
  world.served(20, 0)
  const [oldest, ...others] = world.newcomers(20)
  const [asking] = world.newcomers(1)
  world.nowMs = 200
  expect(world.admission.admit(asking!)).toBe(true)
  expect([oldest?.destroyed, destroyedOf(others)]).toEqual([true, 0])
})

test("of those few the oldest goes when another one comes", () => {
  const world = new World()
  world.served(40, 0)
  const newcomers = world.newcomers(5)
  expect(newcomers.map(({ destroyed }) => destroyed)).toEqual([true, true, true, false, false])
})

test("however many agents stay beyond the limit, each newcomer is let in to say that it is one", () => {
  const world = new World()
  world.served(40, 0)
  for (let agent = 0; agent < 10; agent++) world.served(1, 0)
  const [newcomer] = world.newcomers(1)
  expect([newcomer?.destroyed, closedOf(world.guests), world.admission.size]).toEqual([false, 0, 51])
})

test("a connection that has ended makes room for the next one", () => {
  const world = new World()
  const [first] = world.served(40, 0)
  first!.under.emit("close")
  const [newcomer] = world.newcomers(1)
  expect(world.admission.admit(newcomer!)).toBe(true)
})

test("a flood does not make it look through all connections more than ten times in a second", () => {
  const world = new World()
  world.served(40, 0)
  let looks = 0
  const flooded = new Admission({
    most: 1,
    guests: () => {
      looks++
      return []
    },
    now: () => world.nowMs,
  })
  for (let count = 0; count < 1000; count++) {
    flooded.enter(new FakeSocket().asSocket)
    world.nowMs++
  }
  expect(looks).toBeLessThanOrEqual(11)
})
