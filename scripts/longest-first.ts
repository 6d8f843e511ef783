// The order in which a whole run takes the test files: those that take longest first, so that at the end no worker is left alone with
// one of them. Vitest learns by itself what takes how long, but only from runs before: not in a fresh clone, and not in CI.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

export class LongestFirst extends BaseSequencer {
  /** The other files follow in Vitest's own order: what failed last time, then what took long last time. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    const gone = Object.keys(seconds).filter((file) => !existsSync(join(root, file)))
    if (gone.length > 0)
      throw new Error(`scripts/longest-first.ts names what is not there: ${gone.join(", ")}`)
    const took = new Map(Object.entries(seconds).map(([file, one]) => [join(root, file), one]))
    // oxlint-disable-next-line unicorn/no-array-sort -- Vitest's own, not the array's
    const others = await super.sort(files)
    return others.toSorted((one, other) => (took.get(other.moduleId) ?? 0) - (took.get(one.moduleId) ?? 0))
  }
}

/** What a file takes on two cores, from 10 s on. */
const seconds: Readonly<Record<string, number>> = {
  "test/fuzz/pair-2.test.ts": 75,
  "test/fuzz/pair.test.ts": 70,
  "test/e2e/worn-path.test.ts": 55,
  "test/e2e/forward-proxy.test.ts": 53,
  "test/e2e/tcp-long.test.ts": 41,
  "test/security/http2-abuse.test.ts": 39,
  "test/ops/balancer.test.ts": 38,
  "test/e2e/bulk.test.ts": 36,
  "test/bench.test.ts": 35,
  "test/docs/commands.test.ts": 34,
  "test/e2e/network.test.ts": 33,
  "test/agent-doctor.test.ts": 27,
  "test/conformance/redis-websocket.test.ts": 25,
  "test/fuzz/faults.test.ts": 25,
  "test/e2e/queue.test.ts": 24,
  "test/e2e/processes.test.ts": 24,
  "test/conformance/memory-websocket.test.ts": 23,
  "test/conformance/redis-poll.test.ts": 22,
  "test/conformance/memory-poll.test.ts": 21,
  "test/demo.test.ts": 21,
  "test/conformance/abuse/requests.test.ts": 20,
  "test/e2e/tcp-network.test.ts": 20,
  "test/security/abuse.test.ts": 19,
  "test/e2e/websocket-network.test.ts": 19,
  "test/e2e/udp.test.ts": 18,
  "test/e2e/edges.test.ts": 16,
  "test/e2e/attaching.test.ts": 16,
  "test/security/crowds.test.ts": 16,
  "test/e2e/traces.test.ts": 15,
  "test/e2e/ports-restart.test.ts": 15,
  "test/e2e/tcp-clients.test.ts": 13,
  "test/e2e/streams.test.ts": 12,
  "test/e2e/http2.test.ts": 12,
  "test/e2e/http2-upstream.test.ts": 12,
  "packages/protocol/test/http1/differential.test.ts": 12,
  "test/e2e/ports-seen.test.ts": 12,
  "packages/proxy-out/test/queue/relay.test.ts": 11,
  "test/ops/image.test.ts": 10,
  "test/transports/websocket.test.ts": 10,
  "test/reload.test.ts": 10,
  "test/terminal.test.ts": 10,
  "test/e2e/websocket.test.ts": 10,
  "test/e2e/http2-fields.test.ts": 10,
  "test/e2e/tls.test.ts": 10,
  "test/e2e/real-use.test.ts": 10,
  "test/security/hostile-agent.test.ts": 10,
  "test/e2e/restart.test.ts": 10,
  "test/fuzz/noticed.test.ts": 10,
}
