// The two places where an edge can keep its queue, for tests that hold for both.
import { startRedis } from "./redis.ts"

export const queues = ["memory", "redis"] as const
export type Queue = (typeof queues)[number]

export interface QueueForEdge extends AsyncDisposable {
  /** What the edge's command line needs. */
  readonly args: readonly string[]
}

export async function startQueue(queue: Queue): Promise<QueueForEdge> {
  if (queue === "memory") return { args: [], [Symbol.asyncDispose]: () => Promise.resolve() }
  const redis = await startRedis()
  return { args: ["--redis", redis.url], [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() }
}
