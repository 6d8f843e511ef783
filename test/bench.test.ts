// The benchmark, run with tiny numbers: what it measures is worth nothing then, but it cannot rot.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, onTestFinished, test } from "vitest"
import type { ContenderName } from "../bench/contenders.ts"
import type { Entry } from "../bench/field.ts"
import type { RequestSample, Sample } from "../bench/measurements.ts"
import { ratio, spreadOf } from "../bench/summary.ts"
import { judge, type Verdict } from "../bench/targets.ts"
import { until } from "./support/until.ts"

/** Long enough that every contender answers something, also on a busy machine: a round without an answer has no ratio. */
const tiny = ["--rounds", "1", "--seconds", "0.4"]

describe("npm run bench", { timeout: 180_000 }, () => {
  test("measures every contender and judges every target, with their programs or without", async () => {
    const bench = await Bench.start([...tiny, "--connections", "1,50", "--bytes", "8MiB"])
    expect(await bench.ended).toBe(0)
    const { entries, samples, targets } = await bench.figures()
    const unmeasured = entries.filter(({ state }) => state !== "measured")
    expect(unmeasured.filter(({ contender }) => !mayLack(contender))).toEqual([])
    const turns = samples.filter(({ contender }) => !mayLack(contender))
    expect(turns).toHaveLength(2 * 9 + 3 + 4 + 2 * 4)
    expect(targets.filter(({ verdict, other }) => verdict === "not measured" && !mayLack(other))).toEqual([])
    expect(bench.output).toContain("Targets (ratios taken round by round)")
    expect(await bench.leftovers()).toEqual([])
  })

  test("says what is missing and how to get it, and measures the rest", async () => {
    const missing = { PATH: "", RESTANTE_REDIS_SERVER: "/nowhere/redis-server" }
    const wanted = ["--connections", "1", "--workloads", "small", "--contenders", "no hop,queue/poll"]
    const bench = await Bench.start([...tiny, ...wanted], missing)
    expect(await bench.ended).toBe(0)
    expect(bench.output).toContain(
      "small: queue/poll is not measured: redis-server is missing. To have it measured: apt-get install",
    )
    expect((await bench.figures()).samples.length).toBeGreaterThan(0)
  })

  test("stops when told to, and leaves no process and no file behind", async () => {
    const bench = await Bench.start(["--quick"])
    await until("the bench to measure", () => bench.errors.includes("warming up"), 60_000)
    bench.stop()
    expect(await bench.ended).toBe(130)
    expect(await bench.leftovers()).toEqual([])
  })
})

test("a ratio is taken round by round, so that a slow round of both does not count", () => {
  const samples = [
    sampleOf("node", 1, 100),
    sampleOf("memory/poll", 1, 200),
    sampleOf("node", 2, 10),
    sampleOf("memory/poll", 2, 30),
  ]
  const found = ratio(samples, { workload: "small", connections: 50 }, "memory/poll", "node")
  expect(found).toEqual({ median: 2.5, least: 2, most: 3 })
})

test("a round in which the other one did not get to do anything says nothing about the ratio", () => {
  const samples = [
    sampleOf("node", 1, 0),
    sampleOf("memory/poll", 1, 0),
    sampleOf("node", 2, 10),
    sampleOf("memory/poll", 2, 30),
  ]
  const found = ratio(samples, { workload: "small", connections: 50 }, "memory/poll", "node")
  expect(found).toEqual({ median: 3, least: 3, most: 3 })
})

test("the median of an even number of figures lies between the middle two", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 })
})

test("a target whose contenders were not measured is neither reached nor missed", () => {
  const verdicts = judge([sampleOf("memory/websocket", 1, 100), sampleOf("node", 1, 50)])
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(["reached", ...Array(14).fill("not measured")])
})

/** What needs a program that not every machine has. */
function mayLack(contender: ContenderName): boolean {
  return ["nginx", "nginx tuned", "ssh -R", "rathole"].includes(contender)
}

interface Figures {
  readonly entries: readonly Entry[]
  readonly samples: readonly Sample[]
  readonly targets: readonly Verdict[]
}

/** The benchmark as a process group of its own, with its temporary files in a folder of their own. */
class Bench {
  output = ""
  errors = ""
  /** Its exit code. */
  readonly ended: Promise<unknown>
  readonly #process: ChildProcess
  readonly #folder: string

  static async start(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), "restante-bench-test-"))
    await mkdir(join(folder, "tmp"))
    const bench = new Bench(folder, words, environment)
    onTestFinished(async () => {
      bench.signal("SIGKILL")
      await rm(folder, { recursive: true, force: true })
    })
    return bench
  }

  private constructor(
    folder: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder
    const main = fileURLToPath(new URL("../bench/main.ts", import.meta.url))
    const own = ["--json", join(folder, "figures.json")]
    this.#process = spawn(process.execPath, ["--conditions=@restante/source", main, ...words, ...own], {
      detached: true,
      env: { ...process.env, TMPDIR: join(folder, "tmp"), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.#process.stdout?.on("data", (bytes: Buffer) => (this.output += bytes.toString()))
    this.#process.stderr?.on("data", (bytes: Buffer) => (this.errors += bytes.toString()))
    this.ended = once(this.#process, "close").then(([code]) => code)
  }

  /** To it and to everything that it has started. */
  signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#process
    if (pid === undefined) return false
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }

  stop(): void {
    this.#process.kill("SIGTERM")
  }

  async figures(): Promise<Figures> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what bench/main.ts writes
    return JSON.parse(await readFile(join(this.#folder, "figures.json"), "utf8")) as Figures
  }

  /** Temporary files, and "a process" when any of its group still runs. */
  async leftovers(): Promise<string[]> {
    const files = await readdir(join(this.#folder, "tmp"))
    return this.signal(0) ? [...files, "a process"] : files
  }
}

function sampleOf(contender: ContenderName, round: number, requestsPerSecond: number): RequestSample {
  const zero = { p50Us: 0, p99Us: 0, requests: 0, cpuMs: {} }
  return { workload: "small", connections: 50, contender, round, requestsPerSecond, ...zero }
}
