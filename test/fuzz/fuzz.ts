// Plays scenes that chance makes, block after block, until enough exchanges have been played or time is over; several at a time.
import * as fc from "fast-check"
import { playScene, type Stage } from "./play-scene.ts"
import { scenes } from "./scenes.ts"

export interface FuzzOptions {
  readonly stage: Stage
  /** The first block's; the next one has the next. */
  readonly seed: number
  /** Scenes played at the same time. */
  readonly lanes: number
  /** Asked before every block. */
  readonly enough: (exchanges: number) => boolean
  /** The first scene that goes wrong is enough: no smaller one is looked for. Default false. */
  readonly anyWrong?: boolean
  /** Scenes of a block. Default 100. */
  readonly scenesPerBlock?: number
}

/** Resolves with how many exchanges were played; rejects with the smallest scene that goes wrong, and the seed. */
export async function fuzz({
  stage,
  seed,
  lanes,
  enough,
  anyWrong = false,
  scenesPerBlock = 100,
}: FuzzOptions): Promise<number> {
  let exchanges = 0
  let nextSeed = seed
  const lane = async (): Promise<void> => {
    while (!enough(exchanges)) {
      const property = fc.asyncProperty(scenes, async (scene) => {
        const played = await playScene(stage, scene)
        exchanges += played // not in one step: other lanes have added theirs meanwhile
      })
      // oxlint-disable-next-line no-await-in-loop -- block after block
      await fc.assert(property, {
        seed: nextSeed++,
        numRuns: scenesPerBlock,
        includeErrorInReport: true,
        endOnFailure: anyWrong,
      })
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return exchanges
}
