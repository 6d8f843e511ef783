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
  /** Targets of the requests that ended so; `outcome` as in `outcomes`. */
  readonly targets: (outcome: string) => readonly string[]
}

/** Beyond that clients wait for each other. It bounds what a server that answers nobody costs in file descriptors. */
const maxConnections = 1500

/** Requests for /1, /2, /3 … on as many kept-alive connections as it takes. A POST has a small body. */
export function startLoad(origin: string, perSecond: number, method: "GET" | "POST" = "GET"): Load {
  const pool = new Pool(origin, { connections: maxConnections, headersTimeout: 0, bodyTimeout: 0 })
  const ended: { readonly target: string; readonly outcome: string }[] = []
  const running = new Set<Promise<void>>()
  let requests = 0
  const one = async (): Promise<void> => {
    const target = `/${++requests}`
    const options = { method, path: target, ...(method === "POST" ? { body: "a small body" } : {}) }
    const outcome = await pool.request(options).then(
      async ({ statusCode, headers, body }) => {
        await body.dump()
        return [statusCode, headers["proxy-status"] ?? ""].join(" ").trim()
      },
      (error: unknown) => String(error),
    )
    ended.push({ target, outcome })
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
      const outcomes = new Map<string, number>()
      for (const { outcome } of ended) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      return {
        requests,
        outcomes,
        targets: (outcome) => ended.flatMap((end) => (end.outcome === outcome ? [end.target] : [])),
      }
    },
  }
}
