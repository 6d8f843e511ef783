// What proxy-out gets from its process; tests hand in something else.
import type { LogLevel, Surroundings } from "@restante/protocol"
import type { Logger } from "pino"
import type { EdgeOptions, EdgeSettings } from "./edge-options.ts"

export interface EdgeSurroundings extends Surroundings {
  /** The user's home directory. */
  readonly home: string
  /** What to listen on when `--host` is not given: "::" where the machine has IPv6 (that takes IPv4 as well), else "0.0.0.0". */
  readonly allAddresses: string
  /** An address of this machine that other machines can reach, if it has one. */
  readonly ownAddress: string | undefined
  /** How many files, and so connections, the system lets the process open; undefined where that is not known. */
  readonly maxOpenFiles: number | undefined
  /** `destination`: where its lines go; without one to standard error, as they are. */
  makeLog(level: LogLevel, destination?: { write(line: string): void }): Logger
  makeEdge(options: EdgeOptions): RunningEdge
}

/** What the program needs of an `Edge`. */
export interface RunningEdge {
  start(): Promise<{ port: number }>
  /** For requests that come from now on. */
  change(settings: EdgeSettings): void
  stop(): Promise<void>
}
