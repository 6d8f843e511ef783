// What every broker promises, as a suite that each of them runs.
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Broker } from "../../src/queue/broker.ts"
import { RecordingConsumer, allOctets, pause, ticket, tickets, until } from "./kit.ts"

export interface ContractSubject {
  readonly broker: Broker
  /** Ends what belongs to the subject beside the broker itself. */
  readonly dispose?: () => Promise<void>
}

/** `open` gives a started broker of the edge "edge-a" that nobody else uses. */
export function brokerContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the contract of a broker`, () => {
    let subject: ContractSubject
    let broker: Broker

    beforeEach(async () => {
      subject = await open()
      broker = subject.broker
    })

    afterEach(async () => {
      await broker.stop()
      await subject.dispose?.()
    })

    test("a ticket is leased by a consumer that has room", async () => {
      const consumer = new RecordingConsumer(1)
      broker.subscribe("default", consumer)
      const offered = ticket("a", { head: "GET /\xe9 HTTP/1.1\r\nHost: x\r\nX: \xff\x80\r\n\r\n" })
      broker.offer(offered)
      await until("leased", () => consumer.leased.length === 1)
      expect(consumer.leased).toEqual([offered])
    })

    test("tickets are leased in the order in which they were offered", async () => {
      const consumer = new RecordingConsumer(1000)
      broker.subscribe("default", consumer)
      const offered = tickets(500)
      for (const [index, one] of offered.entries()) {
        broker.offer(one)
        // oxlint-disable-next-line no-await-in-loop -- several batches instead of one
        if (index % 50 === 0) await pause(1)
      }
      await until("all leased", () => consumer.leased.length === 500)
      expect(consumer.ids).toEqual(offered.map(({ id }) => id))
    })

    test("no more tickets are handed out than there is room, the others follow in order as room appears", async () => {
      const consumer = new RecordingConsumer(3)
      const subscription = broker.subscribe("default", consumer)
      const offered = tickets(50)
      for (const one of offered) broker.offer(one)
      await until("three leased", () => consumer.leased.length === 3)
      await pause(50)
      expect(consumer.leased).toHaveLength(3)
      expect(broker.depth("default")).toBe(47)
      for (let room = 1; consumer.leased.length < 50; room++) {
        const expected = Math.min(50, consumer.leased.length + room)
        consumer.addRoom(room)
        subscription.ready()
        // oxlint-disable-next-line no-await-in-loop -- one step after the other
        await until("the next ones", () => consumer.leased.length === expected)
      }
      expect(consumer.ids).toEqual(offered.map(({ id }) => id))
      expect(broker.depth()).toBe(0)
    })

    test("a ticket that a consumer has no room for after all stays the first in line", async () => {
      const consumer = new RecordingConsumer(10)
      consumer.answers.set("t0", "no_room")
      const subscription = broker.subscribe("default", consumer)
      for (const one of tickets(3)) broker.offer(one)
      await pause(50)
      expect(consumer.ids).toEqual([])
      consumer.answers.clear()
      subscription.ready()
      await until("all leased", () => consumer.leased.length === 3)
      expect(consumer.ids).toEqual(["t0", "t1", "t2"])
    })

    test("a ticket whose exchange is over is dropped and does not hold up the others", async () => {
      const consumer = new RecordingConsumer(10)
      consumer.answers.set("t0", "gone").set("t2", "gone")
      broker.subscribe("default", consumer)
      for (const one of tickets(4)) broker.offer(one)
      await until("the others leased", () => consumer.leased.length === 2)
      expect(consumer.ids).toEqual(["t1", "t3"])
      expect(broker.depth()).toBe(0)
    })

    test("a ticket that is offered again comes before all that wait", async () => {
      const consumer = new RecordingConsumer(1)
      const subscription = broker.subscribe("default", consumer)
      broker.offer(ticket("first"))
      await until("the first leased", () => consumer.leased.length === 1)
      for (const one of tickets(40)) broker.offer(one)
      await pause(50)
      broker.reoffer(ticket("first", { attempt: 2 }))
      await pause(50)
      consumer.addRoom(41)
      subscription.ready()
      await until("all leased", () => consumer.leased.length === 42)
      expect(consumer.leased[1]).toMatchObject({ id: "first", attempt: 2 })
      expect(consumer.ids.slice(2)).toEqual(tickets(40).map(({ id }) => id))
    })

    test("a ticket that is offered again by the consumer itself is leased again", async () => {
      const consumer = new RecordingConsumer(10)
      consumer.onLease = (leased) => {
        if (leased.attempt < 3) broker.reoffer({ ...leased, attempt: leased.attempt + 1 })
      }
      broker.subscribe("default", consumer)
      broker.offer(ticket("a"))
      await until("the third attempt", () => consumer.leased.length === 3)
      expect(consumer.leased.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    })

    test("a withdrawn ticket is never leased", async () => {
      const offered = tickets(100)
      for (const one of offered) broker.offer(one)
      for (const one of offered.slice(0, 30)) broker.withdraw(one)
      await pause(50)
      for (const one of offered.slice(30, 60)) broker.withdraw(one)
      expect(broker.depth()).toBe(40)
      const consumer = new RecordingConsumer(1000)
      broker.subscribe("default", consumer)
      await until("the others leased", () => consumer.leased.length === 40)
      expect(consumer.ids).toEqual(offered.slice(60).map(({ id }) => id))
    })

    test("withdrawing a leased or unknown ticket, or one twice, changes nothing", async () => {
      const consumer = new RecordingConsumer(1)
      const subscription = broker.subscribe("default", consumer)
      for (const one of tickets(2)) broker.offer(one)
      await until("the first leased", () => consumer.leased.length === 1)
      for (const id of ["t0", "t0", "never seen"]) broker.withdraw(ticket(id))
      broker.withdraw(ticket("x", { tunnel: "unknown" }))
      expect(broker.depth()).toBe(1)
      consumer.addRoom(1)
      subscription.ready()
      await until("the second leased", () => consumer.leased.length === 2)
    })

    test("several consumers of a tunnel share its tickets and none is handed out twice", async () => {
      const consumers = [1, 2, 3].map(() => new RecordingConsumer(1000))
      for (const consumer of consumers) broker.subscribe("default", consumer)
      for (const one of tickets(300)) broker.offer(one)
      const leased = (): string[] => consumers.flatMap(({ ids }) => ids)
      await until("all leased", () => leased().length >= 300)
      await pause(50)
      expect(leased().toSorted()).toEqual(
        tickets(300)
          .map(({ id }) => id)
          .toSorted(),
      )
      for (const { ids } of consumers) expect(ids.length).toBeGreaterThan(50)
    })

    test("5,000 tickets that wait for a consumer are all delivered once one appears, in order", async () => {
      const offered = tickets(5000)
      for (const one of offered) broker.offer(one)
      expect(broker.depth("default")).toBe(5000)
      await pause(20)
      const consumer = new RecordingConsumer(10_000)
      broker.subscribe("default", consumer)
      await until("all leased", () => consumer.leased.length === 5000)
      await pause(50)
      expect(consumer.ids).toEqual(offered.map(({ id }) => id))
      expect(broker.depth()).toBe(0)
    })

    test("tickets that wait when the last consumer leaves go to the next one", async () => {
      const first = new RecordingConsumer(5)
      const subscription = broker.subscribe("default", first)
      for (const one of tickets(30)) broker.offer(one)
      await until("five leased", () => first.leased.length === 5)
      subscription.close()
      subscription.close()
      first.addRoom(100)
      subscription.ready()
      const second = new RecordingConsumer(100)
      broker.subscribe("default", second)
      await until("the rest leased", () => second.leased.length === 25)
      expect(first.leased).toHaveLength(5)
      expect([...first.ids, ...second.ids]).toEqual(tickets(30).map(({ id }) => id))
    })

    test("an inline body arrives octet by octet, an empty one is not no body", async () => {
      const consumer = new RecordingConsumer(10)
      broker.subscribe("default", consumer)
      const body = Buffer.concat(Array.from({ length: 256 }, () => allOctets))
      broker.offer(ticket("big", { body }))
      broker.offer(ticket("empty", { body: Buffer.alloc(0) }))
      broker.offer(ticket("none", { bodyFollows: true }))
      await until("all leased", () => consumer.leased.length === 3)
      expect(consumer.leased.map((leased) => leased.body)).toEqual([body, Buffer.alloc(0), undefined])
    })

    test("tunnels do not see each other's tickets", async () => {
      const tunnels = Array.from({ length: 50 }, (_, index) => `tunnel ${index} / {ä}:%`)
      const consumers = tunnels.map(() => new RecordingConsumer(100))
      for (const [index, tunnel] of tunnels.entries()) broker.subscribe(tunnel, consumers[index]!)
      for (const tunnel of tunnels)
        for (const one of tickets(5, { tunnel }))
          broker.offer({ ...one, id: `${one.id}-${tunnels.indexOf(tunnel)}` })
      await until("all leased", () => consumers.every(({ leased }) => leased.length === 5))
      for (const [index, { leased }] of consumers.entries()) {
        expect(new Set(leased.map(({ tunnel }) => tunnel))).toEqual(new Set([tunnels[index]]))
      }
    })

    test("a stopped broker hands out nothing more", async () => {
      const consumer = new RecordingConsumer(0)
      const subscription = broker.subscribe("default", consumer)
      for (const one of tickets(3)) broker.offer(one)
      await broker.stop()
      await broker.stop()
      consumer.addRoom(10)
      subscription.ready()
      broker.offer(ticket("late"))
      broker.reoffer(ticket("late"))
      broker.withdraw(ticket("late"))
      broker.subscribe("default", consumer).close()
      await pause(50)
      expect(consumer.leased).toEqual([])
    })

    test("a healthy broker says so", () => {
      expect(broker.health).toEqual({ state: "ready" })
    })
  })
}
