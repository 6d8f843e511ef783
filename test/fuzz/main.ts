// npm run fuzz -- --minutes N [--seed S]: plays scenes for as long as asked, and prints rate and seed.
import { parseArgs } from "node:util"
import { startNearPair } from "../support/near-pair.ts"
import { fuzz } from "./fuzz.ts"
import { FuzzUpstream } from "./upstream.ts"

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } })
const minutes = Number(values.minutes ?? "1")
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error("Usage: npm run fuzz -- --minutes N [--seed S], N above 0, S a whole number")
  process.exit(2)
}
await using upstream = new FuzzUpstream()
await using pair = await startNearPair({ upstreamPort: await upstream.start() })
console.log(`seed ${seed}, ${minutes} minutes`)
const beganAt = performance.now()
const seconds = (): number => (performance.now() - beganAt) / 1000
let saidAt = 0
const exchanges = await fuzz({
  stage: { port: pair.port, upstream },
  seed,
  lanes: 4,
  enough: (played) => {
    if (seconds() - saidAt >= 10) {
      saidAt = seconds()
      console.log(`${played} exchanges, ${Math.round(played / saidAt)}/s`)
    }
    return seconds() >= minutes * 60
  },
})
console.log(
  `${exchanges} exchanges in ${seconds().toFixed(0)} s, ${Math.round(exchanges / seconds())}/s; seed ${seed}; nothing is wrong`,
)
