// Sends spans to the collector that the environment names, in the background.
import { SpanExporter, type TracingSettings } from "@restante/protocol"
import type { Logger } from "pino"

/** A collector that takes longer has not taken it. */
const postMs = 5000

export function spanExporter({ url, headers, resource }: TracingSettings, log: Logger): SpanExporter {
  return new SpanExporter({
    resource,
    scope: { name: "restante", version: "0.1.0" },
    post: async (body) => {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(postMs),
      })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`the collector answered ${response.status}`)
    },
    later: (ms, callback) => void setTimeout(callback, ms).unref(),
    onError: (error) => log.warn({ err: error, collector: url.host }, "traces are not taken"),
  })
}
