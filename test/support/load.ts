// Clients that come at a steady rate, whether those before them have been answered or not.
import { fetchWhole, keptAlive, type RequestOptions } from "./client.ts"

export interface Load {
  /** Begins no further request; resolves when all are answered. */
  stop(): Promise<LoadResult>
}

export interface LoadResult {
  readonly requests: number
  /** How many ended how: a status, or the text of an error. */
  readonly outcomes: ReadonlyMap<string, number>
  /** The longest that anybody waited for an answer. Milliseconds. */
  readonly longestMs: number
}

export function startLoad(url: string, perSecond: number, options: RequestOptions = {}): Load {
  const agent = keptAlive(Number.POSITIVE_INFINITY)
  const outcomes = new Map<string, number>()
  const running = new Set<Promise<void>>()
  let requests = 0
  let longestMs = 0
  const one = async (): Promise<void> => {
    const beganAt = performance.now()
    const outcome = await fetchWhole(`${url}/${++requests}`, { agent, ...options }).then(
      ({ status }) => String(status),
      (error: unknown) => String(error),
    )
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    longestMs = Math.max(longestMs, performance.now() - beganAt)
  }
  const beganAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - beganAt) / 1000) * perSecond
    while (requests < due) {
      const promise = one().finally(() => running.delete(promise))
      running.add(promise)
    }
  }, 5)
  return {
    stop: async () => {
      clearInterval(timer)
      await Promise.all(running)
      agent.destroy()
      return { requests, outcomes, longestMs }
    },
  }
}
