// What becomes of a connection of HTTP/1 whose client takes too long.
import type { ClientFault } from "../exchange/client.ts"
import { failures } from "../exchange/failures.ts"
import type { ClientConnection } from "./client-connection.ts"
import type { Patience } from "./patience.ts"

/** Looked at once per sweep. `timeout`: the answer to a request that does not come. */
export function losePatience(
  connection: ClientConnection,
  patience: Patience,
  sweepMs: number,
  timeout: () => Buffer,
): void {
  const { phase, quiet } = connection.sweep(patience, sweepMs)
  const quietMs = quiet * sweepMs
  switch (phase) {
    case "idle":
      if (quietMs >= patience.idleMs) connection.close()
      return
    case "head":
      if (quietMs >= patience.headMs) connection.giveUp(timeout(), requestTimeout)
      return
    case "body":
      if (quietMs >= patience.bodyMs) connection.giveUp(timeout(), requestTimeout)
      return
    case "response":
      if (quietMs >= patience.stalledReaderMs) connection.abandon()
      return
    case "raw": // it may be silent for days: TCP's keep-alive finds out whether the client is still there
  }
}

/** What a client that sends too slowly is told. */
export const requestTimeout: ClientFault = {
  code: "request_timeout",
  status: failures.request_timeout.status,
}
