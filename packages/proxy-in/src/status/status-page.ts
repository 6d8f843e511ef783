// The status as one HTML page: no scripts, nothing loaded from elsewhere, reloads itself, fits a phone.
import type { AgentStatus, LinkState, ProgramStatus } from "./status.ts"

const reloadSeconds = 2

export function statusPage({ tunnels }: ProgramStatus): string {
  const connected = tunnels.filter(({ link }) => link.kind === "connected").length
  const only = tunnels.length === 1 ? tunnels[0] : undefined
  const heading =
    only === undefined ? `${connected} of ${tunnels.length} tunnels connected` : linkTexts(only.link).word
  const title = only === undefined ? heading : `${heading}: ${only.tunnel}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="${reloadSeconds}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} (Restante)</title>
<style>${style}</style>
<h1 class="${connected === tunnels.length ? "good" : "bad"}">${escaped(heading)}</h1>
${tunnels.map((tunnel) => section(tunnel, only === undefined)).join("\n")}
<p class="foot"><a href="/status.json">The same as JSON</a></p>
</html>
`
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 0 .5rem }
h2 { font-size: 1.2rem; margin: 2rem 0 .25rem }
h3 { font-size: 1rem; margin: 1rem 0 .25rem }
p { margin: .25rem 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.5rem; margin: .75rem 0 }
dt { opacity: .7 }
dd { margin: 0; overflow-wrap: anywhere }
ul { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere }
.good { color: light-dark(#176b2c, #6fd58a) }
.bad { color: light-dark(#a3261b, #ff9a8f) }
.foot { margin-top: 2rem }
@media (max-width: 30rem) { body { margin: 1rem auto } dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .5rem } }
`

function section(status: AgentStatus, named: boolean): string {
  const link = linkTexts(status.link)
  const { active, served, failed, cancelled, perSecond } = status.requests
  const rows: readonly (readonly [string, string])[] = [
    ["Edge", status.edge],
    ["Tunnel", status.tunnel],
    ["Private server", status.upstreamUp ? status.upstream : `${status.upstream} (cannot be reached)`],
    ["Transport", `${status.carriedOn ?? "none"} (asked for: ${status.transport})`],
    [
      "Round trip",
      status.roundTripMs === undefined ? "not measured yet" : `${status.roundTripMs.toFixed(1)} ms`,
    ],
    [
      "Requests",
      `${active} running, ${served} answered, ${failed} failed, ${cancelled} left by their clients`,
    ],
    ["Per second", perSecond.toFixed(1)],
    ["Running since", timeText(status.startedAt)],
  ]
  const heading = named
    ? `<h2>${escaped(status.tunnel)} <span class="${link.good ? "good" : "bad"}">${escaped(link.word)}</span></h2>\n`
    : ""
  return `<section>
${heading}<p>${escaped(link.sentence)}</p>
<dl>
${rows.map(([term, text]) => `<dt>${escaped(term)}</dt><dd>${escaped(text)}</dd>`).join("\n")}
</dl>
${errorList(status)}
</section>`
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
      return { word: "Reconnecting", sentence: `${link.reason} ${again}`, good: false }
    }
    case "stopping":
      return { word: "Stopping", sentence: "What runs may finish; nothing new is taken.", good: false }
    case "stopped":
      return { word: "Stopped", sentence: "This agent takes no requests any more.", good: false }
  }
}

function errorList({ lastErrors }: AgentStatus): string {
  if (lastErrors.length === 0) return "<p>No errors.</p>"
  const items = lastErrors.map(({ at, message, count, remedy }) => {
    const times = count === 1 ? "" : `, ${count} times`
    return `<li>${escaped(`${timeText(at)}${times}: ${message}`)}<br>${escaped(remedy)}</li>`
  })
  return `<h3>Last errors</h3>\n<ul>\n${items.join("\n")}\n</ul>`
}

function timeText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace("T", " ")} UTC`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
