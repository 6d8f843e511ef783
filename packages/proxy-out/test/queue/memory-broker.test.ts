import { expect, test } from "vitest"
import { MemoryBroker } from "../../src/queue/memory-broker.ts"
import { brokerContract } from "./broker-contract.ts"
import { RecordingConsumer, ticket, tickets } from "./kit.ts"

brokerContract("MemoryBroker", async () => {
  const broker = new MemoryBroker()
  await broker.start()
  return { broker }
})

test("a ticket is handed over within offer() when somebody has room", () => {
  const broker = new MemoryBroker()
  const consumer = new RecordingConsumer(1)
  broker.subscribe("default", consumer)
  broker.offer(ticket("a"))
  expect(consumer.ids).toEqual(["a"])
})

test("100,000 tickets wait, and every second one is withdrawn, without quadratic work", () => {
  const broker = new MemoryBroker()
  const offered = tickets(100_000)
  const before = process.cpuUsage()
  for (const one of offered) broker.offer(one)
  for (const one of offered) if (one.id.endsWith("1")) broker.withdraw(one)
  const consumer = new RecordingConsumer(100_000)
  broker.subscribe("default", consumer)
  expect(consumer.leased).toHaveLength(90_000)
  // Microseconds of work, however busy the machine is.
  expect(process.cpuUsage(before).user).toBeLessThan(5_000_000)
})
