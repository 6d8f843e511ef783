// Scenes that are known to be difficult are played in every run.
import { expect, test } from "vitest"
import { startNearPair } from "../support/near-pair.ts"
import { playScene } from "./play-scene.ts"
import { regressions } from "./regressions.ts"
import type { Scene } from "./scene.ts"
import { FuzzUpstream } from "./upstream.ts"

test.each(regressions)("$name", { timeout: 60_000 }, async ({ scene }) => {
  await using upstream = new FuzzUpstream()
  await using pair = await startNearPair({ upstreamPort: await upstream.start() })
  expect(await playScene({ port: pair.port, upstream }, scene)).toBe(exchangesOf(scene))
})

test.each(regressions)("$name, over HTTP/2", { timeout: 60_000 }, async ({ scene }) => {
  await using upstream = new FuzzUpstream()
  await using pair = await startNearPair({ upstreamPort: await upstream.start(), edge: { h2c: true } })
  expect(await playScene({ port: pair.port, upstream, http2: true }, scene)).toBe(exchangesOf(scene))
})

const exchangesOf = ({ connections }: Scene): number =>
  connections.reduce((sum, { exchanges }) => sum + exchanges.length, 0)
