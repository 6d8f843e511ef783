import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { LongestFirst } from "./scripts/longest-first.ts"

// Tests and packages are read from source, without a build.
const resolve = { conditions: ["@restante/source"] }

export default defineConfig({
  resolve,
  ssr: { resolve },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    // `vitest bench` runs these; `vitest run` does not.
    benchmark: { include: ["packages/*/test/**/*.bench.ts"] },
    globalSetup: ["./scripts/test-setup.mjs"],
    reporters: ["default", "./scripts/closing-line.mjs"],
    sequence: { sequencer: LongestFirst },
    // More than two cores would seem to bear: most of the long files wait more than they compute.
    maxWorkers: Math.max(4, availableParallelism()),
    // Concurrent tests are those that mostly wait, for example for a network that is away for 10 s.
    maxConcurrency: 16,
    // Longer ones say so themselves.
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
})
