// One line of the access log for a connection or a flow of a port: JSON, or as much as the Combined Log Format can hold of it.
import type { RefusedAtPort, SettledPortStream } from "../ports/port-traffic.ts"
import { clfTime, isoTime, milliseconds } from "./access-line.ts"
import type { AccessLogFormat } from "./access-line.ts"

/** `endedAt`: epoch milliseconds. */
export type PortEntry = (SettledPortStream | RefusedAtPort) & { readonly endedAt: number }

/** Everything in it is ours or an address: nothing is to be escaped. */
export function portLine(entry: PortEntry, format: Exclude<AccessLogFormat, "off">): string {
  return format === "json" ? jsonLine(entry) : combinedLine(entry)
}

function jsonLine(entry: PortEntry): string {
  const { endedAt, client, kind, port, tunnel } = entry
  const refused = "reason" in entry
  const exchange = refused ? "" : `"exchange":"${entry.exchangeId}",`
  const place = `"client":"${client.address}","clientPort":${client.port},"kind":"${kind}","port":${port},"tunnel":"${tunnel}"`
  return `{"time":"${isoTime(endedAt)}",${exchange}${place},${refused ? `"outcome":"refused","error":"${entry.reason}"` : endOf(entry)}}\n`
}

function endOf(stream: SettledPortStream): string {
  const { attempt, fromClientBytes, toClientBytes, queueMs, totalMs, outcome, code } = stream
  const error = code === undefined ? "" : `,"error":"${code}"`
  return (
    `"requestBytes":${fromClientBytes},"responseBytes":${toClientBytes},"attempt":${attempt},` +
    `"queueMs":${milliseconds(queueMs)},"totalMs":${milliseconds(totalMs)},"outcome":"${outcome}"${error}`
  )
}

/** There is no request line and no status: the port stands for the one, and what nginx writes of its streams for the other. */
function combinedLine(entry: PortEntry): string {
  const { client, endedAt, kind, port } = entry
  const [status, bytes] = "reason" in entry ? [503, 0] : [combinedStatus[entry.outcome], entry.toClientBytes]
  return `${client.address} - - [${clfTime(endedAt)}] "${kind.toUpperCase()} :${port}" ${status} ${bytes} "-" "-"\n`
}

const combinedStatus = {
  closed: 200,
  silent: 200,
  left: 499,
  broken: 502,
  no_agent: 503,
  stopped: 503,
} as const satisfies Record<SettledPortStream["outcome"], number>
