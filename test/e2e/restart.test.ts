// An agent that dies and comes back while clients keep coming.
import { describe, expect, test } from "vitest"
import { startLoad } from "../support/load.ts"
import { startAgent, startEdge, transports } from "../support/pair.ts"
import { queues, startQueue } from "../support/queue.ts"
import { passTime, until, within } from "../support/until.ts"
import { rawUpstream } from "../support/upstream.ts"

const kinds = queues.flatMap((queue) => transports.map((transport) => ({ queue, transport })))

describe.for(kinds)(
  "queue in $queue, over $transport",
  { concurrent: true, timeout: 240_000 },
  ({ queue, transport }) => {
    test("an agent killed with -9 and started again 3 s later under 200 GETs/s: every client gets 200", async () => {
      await using place = await startQueue(queue)
      let reached = 0
      await using upstream = await rawUpstream((socket) => {
        reached++
        // Slow enough that some requests are always here when the agent dies.
        setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 20)
      })
      await using edge = await startEdge({ args: [...place.args, "--hold", "2m"] })
      const options = { server: upstream.url, external: edge.url, transport }
      await using first = await startAgent(options)
      await first.attached()
      const load = startLoad(edge.url, 200)
      await until("the load to run", () => reached > 200, 60_000)
      await first.program.kill()
      await passTime(3000)
      await using second = await startAgent(options)
      await second.attached()
      await within("those that waited to be answered", 60_000, load.soFar())
      const reachedBefore = reached
      await until("the load to run again", () => reached > reachedBefore + 200, 60_000)
      const { requests, outcomes } = await load.stop()
      expect(outcomes).toEqual(new Map([["200", requests]]))
    })
  },
)
