// Where the time goes: for each CPU profile in a folder, the functions that it was spent in, without and with what they called.
//   node bench/profile.ts FOLDER [TEXT in the file's name]
import { readdir, readFile } from "node:fs/promises"
import { basename, join } from "node:path"

/** The part of a .cpuprofile that is used (V8's Profiler.Profile). */
interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** Node ids, one per sample; the first node is the root. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  /** Ids. */
  readonly children?: readonly number[]
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    /** From 0. */
    readonly lineNumber: number
  }
}

const shownFunctions = 40

const [folder = ".", text = ""] = process.argv.slice(2)
const files = (await readdir(folder)).filter((file) => file.endsWith(".cpuprofile") && file.includes(text))
for (const file of files.toSorted()) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node wrote
  const profile = JSON.parse(await readFile(join(folder, file), "utf8")) as Profile
  console.log(`\n${file}\n${topFunctions(profile).join("\n")}`)
}

function topFunctions({ nodes, samples, timeDeltas }: Profile): string[] {
  const selfUs = new Map<number, number>()
  for (const [index, id] of samples.entries())
    selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[index] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const spent = new Map<string, { selfUs: number; totalUs: number }>()
  let busyUs = 0
  const visit = (node: ProfileNode, callers: ReadonlySet<string>): number => {
    const place = placeOf(node)
    if (place === "(idle)") return 0
    const own = selfUs.get(node.id) ?? 0
    busyUs += own
    const inside = new Set(callers).add(place)
    const children = (node.children ?? []).map((id) => byId.get(id)).filter((child) => child !== undefined)
    const totalUs = children.reduce((total, child) => total + visit(child, inside), own)
    const entry = spent.get(place) ?? { selfUs: 0, totalUs: 0 }
    // What calls itself is inside its own time already.
    spent.set(place, {
      selfUs: entry.selfUs + own,
      totalUs: entry.totalUs + (callers.has(place) ? 0 : totalUs),
    })
    return totalUs
  }
  for (const node of nodes.slice(0, 1)) visit(node, new Set())
  const percent = (us: number): string => `${((us / busyUs) * 100).toFixed(1).padStart(5)} %`
  return [
    `  ${(busyUs / 1e6).toFixed(2)} s busy`,
    "     self    total",
    ...[...spent]
      .toSorted(([, a], [, b]) => b.selfUs - a.selfUs)
      .slice(0, shownFunctions)
      .map(([place, entry]) => `  ${percent(entry.selfUs)}  ${percent(entry.totalUs)}  ${place}`),
  ]
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === "" ? "(anonymous)" : functionName
  if (url === "") return name
  const path = url.replace(/^.*\/(?=packages\/|node_modules\/(?!\.pnpm))/, "")
  return `${name}  ${path.startsWith("file:") ? basename(path) : path}:${lineNumber + 1}`
}
