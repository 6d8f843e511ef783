// The status as one HTML page: no scripts, nothing loaded from elsewhere, reloads itself.
import type { AgentStatus, LinkState } from "./status.ts"

const reloadSeconds = 2

export function statusPage(status: AgentStatus): string {
  const link = linkTexts(status.link)
  const { active, served, failed } = status.requests
  const rows: readonly (readonly [string, string])[] = [
    ["Edge", status.edge],
    ["Tunnel", status.tunnel],
    ["Private server", status.upstream],
    ["Transport", `${status.carriedOn ?? "none"} (asked for: ${status.transport})`],
    [
      "Round trip",
      status.roundTripMs === undefined ? "not measured yet" : `${status.roundTripMs.toFixed(1)} ms`,
    ],
    ["Requests", `${active} running, ${served} answered, ${failed} failed`],
    ["Running since", timeText(status.startedAt)],
  ]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="${reloadSeconds}">
<meta name="viewport" content="width=device-width">
<title>${escaped(link.word)}: ${escaped(status.tunnel)} (Restante)</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
th { text-align: left; padding-right: 2rem; font-weight: normal; opacity: .7; white-space: nowrap; vertical-align: top }
td { overflow-wrap: anywhere }
.good { color: light-dark(#176b2c, #6fd58a) }
.bad { color: light-dark(#a3261b, #ff9a8f) }
</style>
<h1 class="${link.good ? "good" : "bad"}">${escaped(link.word)}</h1>
<p>${escaped(link.sentence)}</p>
<table>
${rows.map(([term, text]) => `<tr><th scope="row">${escaped(term)}</th><td>${escaped(text)}</td></tr>`).join("\n")}
</table>
${errorList(status)}
<p><a href="/status.json">The same as JSON</a></p>
</html>
`
}

interface LinkTexts {
  readonly word: string
  readonly sentence: string
  readonly good: boolean
}

function linkTexts(link: LinkState): LinkTexts {
  switch (link.kind) {
    case "connecting":
      return { word: "Connecting", sentence: "Not attached to the edge yet.", good: false }
    case "connected":
      return {
        word: "Connected",
        sentence: `Attached to the edge since ${timeText(link.since)}.`,
        good: true,
      }
    case "reconnecting": {
      const again = `Attempt ${link.attempt}, the next one at ${timeText(link.retryAt)}.`
      return { word: "Reconnecting", sentence: `${link.reason}. ${again}`, good: false }
    }
    case "stopping":
      return { word: "Stopping", sentence: "What runs may finish; nothing new is taken.", good: false }
    case "stopped":
      return { word: "Stopped", sentence: "This agent takes no requests any more.", good: false }
  }
}

function errorList({ lastErrors }: AgentStatus): string {
  if (lastErrors.length === 0) return "<p>No errors.</p>"
  const items = lastErrors.map(({ at, message }) => `<li>${escaped(timeText(at))}: ${escaped(message)}</li>`)
  return `<h2>Last errors</h2>\n<ul>\n${items.join("\n")}\n</ul>`
}

function timeText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace("T", " ")} UTC`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
