// Where the time goes: for each CPU profile in a folder, the functions that it was spent in, without what they called.
//   node bench/profile.ts FOLDER [TEXT in the file's name]
import { readdir, readFile } from "node:fs/promises"
import { basename, join } from "node:path"

/** The part of a .cpuprofile that is used (V8's Profiler.Profile). */
interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** Node ids, one per sample. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    /** From 0. */
    readonly lineNumber: number
  }
}

const shownFunctions = 30

const [folder = ".", text = ""] = process.argv.slice(2)
const files = (await readdir(folder)).filter((file) => file.endsWith(".cpuprofile") && file.includes(text))
for (const file of files.toSorted()) {
  const profile = JSON.parse(await readFile(join(folder, file), "utf8")) as Profile
  console.log(`\n${file}\n${topFunctions(profile).join("\n")}`)
}

function topFunctions({ nodes, samples, timeDeltas }: Profile): string[] {
  const places = new Map(nodes.map((node) => [node.id, placeOf(node)]))
  const spentUs = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const place = places.get(id) ?? "?"
    spentUs.set(place, (spentUs.get(place) ?? 0) + (timeDeltas[index] ?? 0))
  }
  spentUs.delete("(idle)")
  const busyUs = [...spentUs.values()].reduce((total, us) => total + us, 0)
  const ranked = [...spentUs].toSorted(([, a], [, b]) => b - a).slice(0, shownFunctions)
  return [
    `  ${(busyUs / 1e6).toFixed(2)} s busy`,
    ...ranked.map(([place, us]) => `  ${((us / busyUs) * 100).toFixed(1).padStart(5)} %  ${place}`),
  ]
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === "" ? "(anonymous)" : functionName
  if (url === "") return name
  const path = url.replace(/^.*\/(?=packages\/|node_modules\/(?!\.pnpm))/, "")
  return `${name}  ${path.startsWith("file:") ? basename(path) : path}:${lineNumber + 1}`
}
