// Makes room when an edge has as many connections as it may: first goes who has shown nothing yet, then who has been at rest longest.
// Who is served stays, and an agent always gets in: a few more connections than that may come and say what they want.
import type { Socket } from "node:net"

/** A connection that has brought a request already. */
export interface Guest {
  /** The TCP connection. */
  readonly under: Socket
  /** For how many sweeps nobody has had any use of it; 0: it is in use. */
  readonly restSweeps: number
  close(): void
}

export interface AdmissionOptions {
  /** Most connections, at least 1. */
  readonly most: number
  readonly guests: () => Iterable<Guest>
  /** Milliseconds that only go forward. */
  readonly now: () => number
}

export const defaultMaxOpenConnections = 20_000
/** A newcomer that has said nothing for this long is the first to go. */
const newcomerMs = 2000
/** What it asks for may still be on its way. */
const askingMs = 200
/** All connections are looked at once in this time at most. */
const lookAgainMs = 100

interface Wish {
  readonly forWhom: Socket
  readonly spared: number
  readonly atLeastMs: number
}

export class Admission {
  readonly #options: AdmissionOptions
  /** How many may come beyond the limit to say what they want. */
  readonly #reserve: number
  readonly #present = new Set<Socket>()
  /** When those came that have brought no request yet; the oldest first. */
  readonly #newcomers = new Map<Socket, number>()
  /** At rest when all were looked at; who was longest comes last. */
  #resting: Guest[] = []
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#reserve = Math.ceil(options.most / 20)
  }

  /** More than this are never open, those that are about to be closed among them. */
  get hardLimit(): number {
    return this.#options.most + 2 * this.#reserve
  }

  /** Open connections. */
  get size(): number {
    return this.#present.size
  }

  /** A connection has been accepted. */
  enter(under: Socket): void {
    this.#present.add(under)
    this.#newcomers.set(under, this.#options.now())
    under.once("close", () => this.#leave(under))
    this.#makeRoom({ forWhom: under, spared: this.#reserve, atLeastMs: 0 })
    if (this.#present.size < this.#options.most) this.#resting = []
  }

  /** It brings its first request. False: whoever asks is one too many, unless it is an agent. */
  admit(under: Socket): boolean {
    this.#newcomers.delete(under)
    // Whoever has said nothing yet has less of a right to be here.
    return this.#makeRoom({ forWhom: under, spared: 0, atLeastMs: askingMs })
  }

  /** Whether there are no more than may be now. While there are only so many too many newcomers are spared, and always those younger than that. */
  #makeRoom({ forWhom, spared, atLeastMs }: Wish): boolean {
    const { most } = this.#options
    while (this.#present.size > most) {
      if (this.#sendAway(newcomerMs, forWhom)) continue
      const guest = this.#nextAtRest()
      if (guest !== undefined) {
        this.#leave(guest.under)
        guest.close()
      } else if (this.#present.size <= most + spared || !this.#sendAway(atLeastMs, forWhom)) return false
    }
    return true
  }

  /** The oldest newcomer, when it has been here for that long. */
  #sendAway(forMs: number, forWhom: Socket): boolean {
    const [under, since = 0] = this.#newcomers.entries().next().value ?? []
    if (under === undefined || under === forWhom || this.#options.now() - since < forMs) return false
    this.#leave(under)
    under.destroy()
    return true
  }

  #leave(under: Socket): void {
    this.#present.delete(under)
    this.#newcomers.delete(under)
  }

  #nextAtRest(): Guest | undefined {
    const next = this.#popResting()
    const now = this.#options.now()
    if (next !== undefined || now - this.#lookedAt < lookAgainMs) return next
    this.#lookedAt = now
    this.#resting = [...this.#options.guests()]
      .filter(({ restSweeps }) => restSweeps > 0)
      .toSorted((a, b) => a.restSweeps - b.restSweeps)
    return this.#popResting()
  }

  #popResting(): Guest | undefined {
    let guest = this.#resting.pop()
    while (guest !== undefined && (guest.restSweeps === 0 || !this.#present.has(guest.under)))
      guest = this.#resting.pop()
    return guest
  }
}
