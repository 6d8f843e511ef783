// `npm run bench [-- --quick]`: Restante beside nginx and a plain Node hop, in turns, each made of processes of its own on
// free loopback ports. Prints tables and what came of the targets; leaves nothing behind.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { CommandError, stopSignal } from "@restante/protocol"
import type { Entry } from "./field.ts"
import { lookAround } from "./machine.ts"
import type { Sample } from "./measurements.ts"
import { parseOptions, usage, type BenchOptions } from "./options.ts"
import { report } from "./report.ts"
import { judge } from "./targets.ts"
import { runWorkload } from "./workloads.ts"

const signal = stopSignal(process, () => performance.now())
process.exitCode = await main().catch((error: unknown) => {
  if (signal.aborted) return 130
  console.error(
    `bench: ${error instanceof CommandError ? error.message : String(error instanceof Error ? error.stack : error)}`,
  )
  return error instanceof CommandError ? error.exitCode : 1
})

/** The exit code: 1 when a contender is broken; a missed target is a figure, not an error. */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === "help") {
    console.log(usage)
    return 0
  }
  const samples: Sample[] = []
  const entries: Entry[] = []
  const machine = await lookAround(process.env)
  const folder = await mkdtemp(join(tmpdir(), "restante-bench-"))
  try {
    for (const workload of options.workloads) {
      const outcome = await runWorkload(workload, options, {
        machine,
        folder,
        signal,
        say: (line) => console.error(line),
      })
      samples.push(...outcome.samples)
      entries.push(...outcome.entries)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  console.log(`\n${heading(options)}\n\n${report(samples, entries, options)}`)
  if (options.jsonFile !== undefined) {
    const figures = { options, entries, samples, targets: judge(samples) }
    await writeFile(options.jsonFile, `${JSON.stringify(figures, undefined, 2)}\n`)
  }
  return entries.some(({ state }) => state === "failed") ? 1 : 0
}

function heading({ rounds, seconds }: BenchOptions): string {
  const [first] = cpus()
  return `${cpus().length} x ${first?.model ?? "unknown processor"}, Node ${process.version}; medians of ${rounds} rounds, ${seconds} s each`
}
