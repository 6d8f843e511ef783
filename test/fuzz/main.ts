// npm run fuzz -- --minutes N [--seed S] [--world pair|redis|kills]: plays scenes for as long as asked, and prints rate and seed.
import { parseArgs } from "node:util"
import { fuzz } from "./fuzz.ts"
import { worlds, type WorldName } from "./worlds.ts"

const { values } = parseArgs({
  options: { minutes: { type: "string" }, seed: { type: "string" }, world: { type: "string" } },
})
const minutes = Number(values.minutes ?? "1")
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
const name = values.world ?? "pair"
if (!(minutes > 0) || !Number.isInteger(seed) || !isWorld(name)) {
  const names = Object.keys(worlds).join("|")
  console.error(
    `Usage: npm run fuzz -- --minutes N [--seed S] [--world ${names}], N above 0, S a whole number`,
  )
  process.exit(2)
}
await using world = await worlds[name]("websocket")
console.log(`seed ${seed}, ${minutes} minutes`)
const beganAt = performance.now()
const seconds = (): number => (performance.now() - beganAt) / 1000
let saidAt = 0
const exchanges = await fuzz({
  stage: world.stage,
  seed,
  lanes: 4,
  // Where agents are killed scenes take their time.
  scenesPerBlock: name === "kills" ? 5 : 100,
  enough: (played) => {
    if (seconds() - saidAt >= 10) {
      saidAt = seconds()
      console.log(`${played} exchanges, ${Math.round(played / saidAt)}/s`)
    }
    return seconds() >= minutes * 60
  },
})
console.log(
  `${exchanges} exchanges in ${seconds().toFixed(0)} s, ${Math.round(exchanges / seconds())}/s; seed ${seed}; ${world.finish()}; nothing is wrong`,
)

function isWorld(text: string): text is WorldName {
  return Object.hasOwn(worlds, text)
}
