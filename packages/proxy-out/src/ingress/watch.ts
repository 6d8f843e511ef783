// Watches one HTTP/1 connection from sweep to sweep: for how long the client has not done what is its turn to do.
import { Pace } from "./pace.ts"
import { bodyPace, type Patience } from "./patience.ts"

/** "response": the edge makes the answer, or the client reads it. */
export type ConnectionPhase = "idle" | "head" | "body" | "response" | "raw"

export interface Watched {
  readonly phase: ConnectionPhase
  /** We hold back the body that it sends, or may be silent for as long as it likes. */
  readonly heldBack: boolean
  readonly patient: boolean
  /** The body that it sends has a Content-Length. */
  readonly hasLength: boolean
  readonly bytesRead: number
  /** Written, and of that not taken by the client yet. */
  readonly bytesWritten: number
  readonly unsentBytes: number
}

export class Watch {
  readonly #pace = new Pace()
  #phase: ConnectionPhase | undefined

  /**
   * For how many sweeps too little has happened in the present phase. Of a head every sweep counts, whatever comes; of a body and an
   * answer those in which the client does not keep the pace, but none while we hold it back.
   */
  sweep(watched: Watched, patience: Patience, sweepMs: number): number {
    const phase = watched.phase === "body" && watched.heldBack ? "response" : watched.phase
    const takes = phase === "response"
    const doneBytes = takes ? watched.bytesWritten - watched.unsentBytes : watched.bytesRead
    if (phase !== this.#phase || watched.patient || (takes && watched.unsentBytes === 0)) {
      this.#phase = phase
      return this.#pace.begin(doneBytes)
    }
    if (phase === "head") return this.#pace.missed(0, 0)
    const bytesPerSecond = takes
      ? patience.minBytesPerSecond
      : phase === "body"
        ? bodyPace(patience, watched.hasLength)
        : 0
    return this.#pace.missed(doneBytes, (bytesPerSecond * sweepMs) / 1000)
  }

  /** For how many sweeps it has been at rest in a phase in which nothing of ours is under way, 0 for any other. */
  restSweeps(phase: ConnectionPhase): number {
    if (phase !== this.#phase) return 0
    // A head that comes in one piece is complete by the next sweep.
    return phase === "idle" ? this.#pace.sweeps : phase === "head" ? Math.max(0, this.#pace.sweeps - 1) : 0
  }
}
