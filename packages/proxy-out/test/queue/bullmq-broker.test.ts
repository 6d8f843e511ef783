import { afterAll, beforeAll } from "vitest"
import { RedisServer, startRedis } from "../../../../test/support/redis.ts"
import { BullmqBroker } from "../../src/queue/bullmq-broker.ts"
import { brokerContract } from "./broker-contract.ts"
import { recordingLog } from "./kit.ts"

let redis: RedisServer
let run = 0

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

for (const dispatch of ["queue", "direct"] as const) {
  brokerContract(`BullmqBroker with dispatch "${dispatch}"`, async () => {
    const options = {
      redis: redis.url,
      edgeId: "edge-a",
      dispatch,
      prefix: `contract${run++}`,
      log: recordingLog().log,
    }
    const broker = new BullmqBroker(options)
    await broker.start()
    return { broker }
  })
}
