// Scenes that are known to be difficult are played in every run.
import { expect, test } from "vitest"
import { startNearPair } from "../support/near-pair.ts"
import { playScene } from "./play-scene.ts"
import { regressions } from "./regressions.ts"
import { FuzzUpstream } from "./upstream.ts"

test.each(regressions)("$name", { timeout: 60_000 }, async ({ scene }) => {
  await using upstream = new FuzzUpstream()
  await using pair = await startNearPair({ upstreamPort: await upstream.start() })
  const wanted = scene.connections.reduce((sum, { exchanges }) => sum + exchanges.length, 0)
  expect(await playScene({ port: pair.port, upstream }, scene)).toBe(wanted)
})
