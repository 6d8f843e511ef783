// Clients that come at a steady rate, whether those before them have been answered or not.
import { Pool } from "undici"

export interface Load {
  /** Resolves when all that have begun by now are answered. */
  soFar(): Promise<unknown>
  /** Begins no further request; resolves when all are answered. */
  stop(): Promise<LoadResult>
}

export interface LoadResult {
  readonly requests: number
  /** How many ended how: a status, or the text of an error. */
  readonly outcomes: ReadonlyMap<string, number>
}

/** GETs of /1, /2, /3 … on as many kept-alive connections as it takes. */
export function startLoad(origin: string, perSecond: number): Load {
  const pool = new Pool(origin, { headersTimeout: 0, bodyTimeout: 0 })
  const outcomes = new Map<string, number>()
  const running = new Set<Promise<void>>()
  let requests = 0
  const one = async (): Promise<void> => {
    const outcome = await pool.request({ method: "GET", path: `/${++requests}` }).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return String(statusCode)
      },
      (error: unknown) => String(error),
    )
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  const beganAt = performance.now()
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - beganAt) / 1000) * perSecond)
    for (let count = due - requests; count > 0; count--) {
      const promise = one().finally(() => running.delete(promise))
      running.add(promise)
    }
  }, 5)
  return {
    soFar: () => Promise.all(running),
    stop: async () => {
      clearInterval(timer)
      await Promise.all(running)
      await pool.destroy()
      return { requests, outcomes }
    },
  }
}
