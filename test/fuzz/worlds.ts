// Where scenes are played: a pair in this process, edges that share a Redis, and an edge whose agents are killed again and again.
import { attached, nearAgent, startNearEdge } from "../support/near-pair.ts"
import type { Transport } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { judgeHeads } from "./judge-lossy.ts"
import { KilledAgents } from "./killed-agents.ts"
import type { Stage } from "./play-scene.ts"
import { FuzzUpstream, type Expected } from "./upstream.ts"

export interface World extends AsyncDisposable {
  readonly stage: Stage
  /** Throws when something went wrong that shows only in the end; says what there was beside the exchanges. */
  finish(): string
}

export const worlds = {
  pair: (transport: Transport): Promise<World> =>
    build(async (stack, upstream, upstreamPort) => {
      const { edge, port } = await startNearEdge()
      stack.use(edge)
      await serve(stack, port, upstreamPort, transport)
      return { stage: { port, upstream }, finish: () => "nothing else" }
    }),

  http2: (transport: Transport): Promise<World> =>
    build(async (stack, upstream, upstreamPort) => {
      const { edge, port } = await startNearEdge({ h2c: true })
      stack.use(edge)
      await serve(stack, port, upstreamPort, transport)
      return { stage: { port, upstream, http2: true }, finish: () => "half of it over HTTP/2" }
    }),

  /** The clients are at one edge, the agent at another one: every request crosses a real queue, and every byte Redis. */
  redis: (transport: Transport): Promise<World> =>
    build(async (stack, upstream, upstreamPort) => {
      const redis = stack.adopt(await startRedis(), (one) => one.stop())
      const [near, far] = [
        await startNearEdge({ redisUrl: redis.url }),
        await startNearEdge({ redisUrl: redis.url }),
      ]
      stack.use(near.edge)
      stack.use(far.edge)
      await serve(stack, far.port, upstreamPort, transport)
      return { stage: { port: near.port, upstream }, finish: () => "two edges" }
    }),

  kills: (transport: Transport): Promise<World> =>
    build(async (stack, upstream, upstreamPort) => {
      const { edge, port } = await startNearEdge()
      stack.use(edge)
      const lives = [1, 300, 2, 500, 7, 250, 80, 400]
      const agents = stack.use(new KilledAgents({ edgePort: port, upstreamPort, upstream, transport, lives }))
      const played: Expected[] = []
      const kinds = new Map<string, number>()
      const onLossy: Stage["onLossy"] = (expected, kind) => {
        played.push(expected)
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
      return {
        stage: { port, upstream, onLossy },
        finish: () => {
          for (const one of played) judgeHeads(one)
          return `${agents.kills} agents killed; ${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ")}`
        },
      }
    }),
} as const satisfies Readonly<Record<string, (transport: Transport) => Promise<World>>>

export type WorldName = keyof typeof worlds

async function build(
  make: (
    stack: AsyncDisposableStack,
    upstream: FuzzUpstream,
    upstreamPort: number,
  ) => Promise<Pick<World, "stage" | "finish">>,
): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(new FuzzUpstream())
  const { stage, finish } = await make(stack, upstream, await upstream.start())
  const owned = stack.move()
  return { stage, finish, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function serve(
  stack: AsyncDisposableStack,
  edgePort: number,
  upstreamPort: number,
  transport: Transport,
): Promise<void> {
  const agent = stack.use(nearAgent(edgePort, upstreamPort, { transport }))
  await agent.start()
  await attached(agent)
}
