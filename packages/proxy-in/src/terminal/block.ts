// The status block: what the agent is doing at the moment, in a few lines that fit the terminal. A pure function of the status.
import type { AgentStatus, ProgramStatus, StatusError } from "../status/status.ts"
import { countText, durationText, elapsedText, rateText, timeText } from "./figures.ts"
import { cut, fitted, type Colour, type Paint } from "./text.ts"

export interface BlockView {
  readonly columns: number
  /** Lines that the block may have. */
  readonly rows: number
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly paint: Paint
  readonly version: string
  /** The status page; undefined: there is none. */
  readonly pageUrl: string | undefined
}

const mostErrors = 3
const labelColumns = 10

/** Lines of at most `columns`, at most `rows` of them. */
export function blockLines(status: ProgramStatus, view: BlockView): readonly string[] {
  const { columns, rows, paint } = view
  const lines = [paint("dim", "─".repeat(columns)), titleLine(view)]
  const [only, ...others] = status.tunnels
  if (only !== undefined && others.length === 0) lines.push(...oneTunnel(only, view))
  else lines.push(...manyTunnels(status.tunnels, view, Math.max(1, rows - lines.length - 4)))
  if (view.pageUrl !== undefined) lines.push(row("Status", view.pageUrl, view))
  return [...lines, ...errorLines(status.tunnels, view)].slice(0, Math.max(0, rows))
}

function titleLine({ columns, paint, version }: BlockView): string {
  const left = `Restante ${version}`
  const right = "Ctrl-C stops"
  if (columns < left.length + right.length + 2) return paint("bold", cut(left, columns))
  return `${paint("bold", left)}${" ".repeat(columns - left.length - right.length)}${paint("dim", right)}`
}

function oneTunnel(tunnel: AgentStatus, view: BlockView): string[] {
  const { colour, text } = linkText(tunnel, view.nowMs)
  const lines = [
    row("Edge", tunnel.edge, view),
    row("Link", `● ${text}`, view, colour),
    row("Tunnel", `${tunnel.tunnel} → ${upstreamText(tunnel)}`, view, tunnel.upstreamUp ? undefined : "red"),
    row("Requests", requestsText(tunnel), view),
  ]
  const { link } = tunnel
  if (link.kind === "reconnecting") lines.splice(2, 0, ...sentenceRows(link.reason, view))
  return lines
}

function manyTunnels(tunnels: readonly AgentStatus[], view: BlockView, rows: number): string[] {
  const edges = [...new Set(tunnels.map(({ edge }) => edge))]
  const shown = tunnels.length <= rows ? tunnels : tunnels.slice(0, Math.max(1, rows - 1))
  const nameColumns = widest(
    shown.map(({ tunnel }) => tunnel),
    20,
  )
  const upstreamColumns = widest(shown.map(upstreamText), Math.max(12, Math.floor(view.columns / 3)))
  const lines = shown.map((tunnel, at) => {
    const { colour, text } = linkText(tunnel, view.nowMs)
    const name = `● ${fitted(tunnel.tunnel, nameColumns)} → ${fitted(upstreamText(tunnel), upstreamColumns)}`
    return row(at === 0 ? "Tunnels" : "", `${name}  ${requestsText(tunnel)} · ${text}`, view, colour)
  })
  if (shown.length < tunnels.length)
    lines.push(row("", `… and ${countText(tunnels.length - shown.length)} more tunnels`, view))
  return [row("Edge", edges.join(", "), view), ...lines]
}

function errorLines(tunnels: readonly AgentStatus[], view: BlockView): string[] {
  const errors = tunnels
    .flatMap(({ tunnel, lastErrors }) => lastErrors.map((error) => ({ tunnel, error })))
    .toSorted((a, b) => b.error.at - a.error.at)
    .slice(0, mostErrors)
  return errors.flatMap(({ tunnel, error }, at) => {
    const where = tunnels.length === 1 ? "" : ` (${tunnel})`
    const line = row(at === 0 ? "Errors" : "", errorText(error, view.nowMs) + where, view, "red")
    // The remedy of the newest one: the others are told when they are.
    return at === 0 ? [line, ...sentenceRows(error.remedy, view)] : [line]
  })
}

function errorText({ at, count, message }: StatusError, nowMs: number): string {
  return count === 1
    ? `${timeText(at, nowMs)} ${message}`
    : `${timeText(at, nowMs)} ${message} ×${countText(count)}`
}

function linkText(
  { link, carriedOn, roundTripMs }: AgentStatus,
  nowMs: number,
): { readonly colour: Colour; readonly text: string } {
  switch (link.kind) {
    case "connecting":
      return { colour: "yellow", text: "connecting" }
    case "connected": {
      const facts = [
        `attached for ${elapsedText(nowMs - link.since)}`,
        carriedOn ?? "no transport",
        ...(roundTripMs === undefined ? [] : [`round trip ${durationText(roundTripMs)}`]),
      ]
      return { colour: carriedOn === undefined ? "yellow" : "green", text: facts.join(" · ") }
    }
    case "reconnecting": {
      const waitSeconds = Math.ceil((link.retryAt - nowMs) / 1000)
      const next = waitSeconds > 0 ? `, the next one in ${waitSeconds} s` : ""
      return { colour: "red", text: `reconnecting, attempt ${countText(link.attempt)}${next}` }
    }
    case "stopping":
      return { colour: "yellow", text: "stopping: what runs may finish; Ctrl-C again stops at once" }
    case "stopped":
      return { colour: "dim", text: "stopped" }
  }
}

function requestsText({ requests }: AgentStatus): string {
  const { active, served, failed, cancelled, perSecond } = requests
  return [
    `${countText(served + failed + cancelled)} total`,
    `${countText(active)} active`,
    `${countText(failed)} failed`,
    rateText(perSecond),
  ].join(" · ")
}

function upstreamText({ upstream, upstreamUp }: AgentStatus): string {
  return upstreamUp ? upstream : `${upstream} (cannot be reached)`
}

function row(label: string, text: string, { columns, paint }: BlockView, colour?: Colour): string {
  const term = fitted(label, Math.min(labelColumns, columns))
  const value = cut(text, Math.max(0, columns - labelColumns))
  return paint("dim", term) + (colour === undefined || value === "" ? value : paint(colour, value))
}

/** Words in as many rows as they need. */
function sentenceRows(text: string, view: BlockView): string[] {
  const columns = Math.max(1, view.columns - labelColumns)
  const rows: string[] = []
  for (const word of text.split(" ")) {
    const longer = `${rows.at(-1)} ${word}`
    if (rows.length > 0 && longer.length <= columns) rows[rows.length - 1] = longer
    else rows.push(word)
  }
  return rows.map((words) => row("", words, view))
}

function widest(texts: readonly string[], most: number): number {
  return Math.min(most, Math.max(1, ...texts.map((text) => text.length)))
}
