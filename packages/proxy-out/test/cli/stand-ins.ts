// What proxy-out's command line tests use instead of a process, a terminal and a real edge.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogLevel } from "@restante/protocol"
import { pino } from "pino"
import { onTestFinished } from "vitest"
import type { EdgeOptions } from "../../src/edge-options.ts"
import { runProxyOut } from "../../src/program.ts"
import type { EdgeSurroundings } from "../../src/surroundings.ts"

export interface Run {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly logged: string
  /** What the edge was made with; undefined when it came to none. */
  readonly options: EdgeOptions | undefined
  readonly logLevel: LogLevel | undefined
  readonly stops: number
}

export interface Circumstances {
  readonly environment?: Readonly<Record<string, string>>
  readonly terminal?: boolean
  readonly home?: string
  readonly ownAddress?: string
  /** What the edge's start does; by default it listens on 8080 where 0 was asked for. */
  readonly start?: (options: EdgeOptions) => Promise<{ port: number }>
}

/** Runs proxy-out with a stand-in edge, which is told to stop as soon as it has started. */
export async function proxyOut(argv: readonly string[], circumstances: Circumstances = {}): Promise<Run> {
  const stop = new AbortController()
  const run = { stdout: "", stderr: "", logged: "", stops: 0 }
  let options: EdgeOptions | undefined
  let logLevel: LogLevel | undefined
  const around: EdgeSurroundings = {
    environment: circumstances.environment ?? {},
    version: "1.2.3",
    output: {
      isTerminal: circumstances.terminal ?? false,
      columns: 80,
      write: (text) => {
        run.stdout += text
        stop.abort()
      },
    },
    errors: { isTerminal: false, columns: 80, write: (text) => (run.stderr += text) },
    signal: stop.signal,
    onReload: () => {},
    home: circumstances.home ?? "/nowhere",
    allAddresses: "::",
    maxOpenFiles: undefined,
    ownAddress: circumstances.ownAddress,
    makeLog: (level, destination = { write: (line) => void (run.logged += line) }) => {
      logLevel = level
      return pino({ level }, destination)
    },
    makeEdge: (made) => {
      options = made
      made.log.info({ options: made }, "made")
      const start =
        circumstances.start ?? ((): Promise<{ port: number }> => Promise.resolve({ port: made.port || 8080 }))
      return {
        start: () => start(made),
        change: () => {},
        stop: () => {
          run.stops++
          return Promise.resolve()
        },
      }
    },
  }
  const exitCode = await runProxyOut(argv, around)
  return { ...run, exitCode, options, logLevel }
}

/** A directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "restante-test-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
