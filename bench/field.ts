// The contenders of one workload while it runs: who takes part, whose turn brought what, and who had to leave.
import { startContender, type Contender, type ContenderName, type Place } from "./contenders.ts"
import { MissingProgram } from "./machine.ts"
import type { Sample, Workload } from "./measurements.ts"

/** How a contender fared in one workload. */
export interface Entry {
  readonly workload: Workload
  readonly contender: ContenderName
  /** "missing": this machine lacks a program that it needs. "failed": something is broken. */
  readonly state: "measured" | "missing" | "failed"
  /** Why it was not measured, or not to the end; "" when it was. */
  readonly reason: string
  /** The most memory that each of its processes has held, in bytes, by role. */
  readonly peakMemoryBytes: Readonly<Record<string, number>>
}

export class Field {
  readonly #workload: Workload
  readonly #running = new Map<ContenderName, Contender>()
  readonly #out: Entry[] = []

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async enter(name: ContenderName, place: Place): Promise<void> {
    try {
      this.#running.set(name, await startContender(name, place))
    } catch (error) {
      this.#leaves(name, error instanceof MissingProgram ? "missing" : "failed", messageOf(error))
    }
  }

  /** Every contender, one after the other. One that fails has no further turn. */
  async turn(measure: (contender: Contender) => Promise<Sample>): Promise<Sample[]> {
    const samples: Sample[] = []
    for (const [name, contender] of this.#running) {
      try {
        samples.push(await measure(contender))
      } catch (error) {
        this.#running.delete(name)
        const said = contender.programs.map(({ errorText }) => errorText).join("\n")
        this.#leaves(name, "failed", `${messageOf(error)}\n${said}`.trim())
      }
    }
    return samples
  }

  /** How all of them fared so far. */
  entries(): Entry[] {
    const running = Array.from(this.#running.values(), ({ name, programs }): Entry => {
      const peaks = programs.map((program) => [program.role, program.peakMemoryBytes()] as const)
      const peakMemoryBytes = Object.fromEntries(
        peaks.flatMap(([role, bytes]) => (bytes === undefined ? [] : [[role, bytes]])),
      )
      return { workload: this.#workload, contender: name, state: "measured", reason: "", peakMemoryBytes }
    })
    return [...running, ...this.#out]
  }

  #leaves(contender: ContenderName, state: "missing" | "failed", reason: string): void {
    this.#out.push({ workload: this.#workload, contender, state, reason, peakMemoryBytes: {} })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
