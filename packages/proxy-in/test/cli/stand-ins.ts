// What proxy-in's command line tests use instead of a process, a terminal and a real agent.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogLevel } from "@restante/protocol"
import { pino } from "pino"
import { onTestFinished } from "vitest"
import type { AgentOptions } from "../../src/agent-options.ts"
import { runProxyIn } from "../../src/program.ts"
import { machine } from "../../src/service/machine.ts"
import type { ServiceHost } from "../../src/service/service-host.ts"
import type { AgentSurroundings } from "../../src/surroundings.ts"
import { statusOf } from "../status/statuses.ts"

export const token = "a-token-for-these-tests"
export const environment = { RESTANTE_TOKEN: token }
/** The options that every command line of these tests begins with. */
export const ends = ["--server", "http://127.0.0.1:3000", "--external", "http://127.0.0.1:8080"]
/** The same without a status page. */
export const quiet = [...ends, "--port", "off"]

export interface Run {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly logged: string
  /** What the agent was made with; undefined when it came to none. */
  readonly options: AgentOptions | undefined
  readonly logLevel: LogLevel | undefined
  readonly stops: number
}

export interface Circumstances {
  /** Without it the real machine: a test that gives none sets up no service. */
  readonly serviceHost?: ServiceHost
  readonly environment?: Readonly<Record<string, string>>
  /** Called with what was printed while the program runs, before it is told to stop. */
  readonly whileRunning?: (stdout: string) => Promise<void>
}

/** Runs proxy-in with a stand-in agent, which is told to stop as soon as it has started. */
export async function proxyIn(argv: readonly string[], circumstances: Circumstances = {}): Promise<Run> {
  const stop = new AbortController()
  const run = { stdout: "", stderr: "", logged: "", stops: 0 }
  let options: AgentOptions | undefined
  let logLevel: LogLevel | undefined
  let running = Promise.resolve()
  const around: AgentSurroundings = {
    environment: circumstances.environment ?? {},
    version: "1.2.3",
    output: {
      isTerminal: false,
      columns: 80,
      write: (text) => {
        run.stdout += text
        running = (circumstances.whileRunning?.(run.stdout) ?? Promise.resolve()).finally(() => stop.abort())
      },
    },
    errors: { isTerminal: false, columns: 80, write: (text) => (run.stderr += text) },
    signal: stop.signal,
    onReload: () => {},
    makeLog: (level, destination = { write: (line) => void (run.logged += line) }) => {
      logLevel = level
      return pino({ level }, destination)
    },
    serviceHost: () => circumstances.serviceHost ?? machine(process),
    makeAgent: (made) => {
      options = made
      made.log.info({ options: made }, "made")
      return {
        start: () => Promise.resolve(),
        stop: () => {
          run.stops++
          return Promise.resolve()
        },
        status: () => statusOf({ tunnel: made.tunnel }),
      }
    },
  }
  const exitCode = await runProxyIn(argv, around)
  await running
  return { ...run, exitCode, options, logLevel }
}

/** A directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "restante-test-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
