// An error as a page for the visitor's browser: what happened and what they can do. Ours, or made from the operator's template.
import { CommandError, nearestName } from "@restante/protocol"

/** What a page may say; everything else about the error is nobody's business. */
export interface PageFacts {
  readonly status: number
  readonly title: string
  readonly code: string
  /** The exchange's id, by which the operator finds it in the logs. */
  readonly exchange: string
  readonly advice: string
  readonly retryAfterSeconds: number | undefined
  /** Trying again is safe and makes sense: the page does so by itself. */
  readonly reload: boolean
}

export interface ErrorPage {
  /** The whole page as UTF-8. */
  render(facts: PageFacts): string
  /** Content-Security-Policy; undefined for none. */
  readonly policy: string | undefined
}

/** The page when the operator has none: small, light and dark, with nothing loaded from anywhere. */
export const builtInPage: ErrorPage = {
  render: (facts) => filled(ownTemplate(facts), facts),
  policy: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
}

export const placeholders = [
  "status",
  "title",
  "code",
  "exchange",
  "advice",
  "retry-after",
  "refresh",
] as const

/**
 * A page from the operator's template, which may say `{{status}}` and so on. Raises `CommandError("usage")` with the line of what is wrong.
 * The operator's own page decides itself what it loads: it gets no policy.
 */
export function templatePage(template: string): ErrorPage {
  for (const [lineIndex, line] of template.split("\n").entries()) {
    for (const [whole, name = ""] of line.matchAll(placeholder)) {
      if (isPlaceholder(name)) continue
      const typed = /^[\w -]{1,40}$/.test(name) ? whole : "a placeholder"
      const nearest = nearestName(name, placeholders)
      const remedy =
        nearest === undefined
          ? `There are ${placeholders.map((known) => `{{${known}}}`).join(" ")}.`
          : `Did you mean {{${nearest}}}?`
      throw new CommandError("usage", `Line ${lineIndex + 1} has ${typed}, which is not known. ${remedy}`)
    }
  }
  return { render: (facts) => filled(template, facts), policy: undefined }
}

type Placeholder = (typeof placeholders)[number]

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g

function isPlaceholder(name: string): name is Placeholder {
  return placeholders.some((known) => known === name)
}

function filled(template: string, facts: PageFacts): string {
  return template.replaceAll(placeholder, (_whole, name: string) =>
    isPlaceholder(name) ? textOf(name, facts) : "",
  )
}

function textOf(name: Placeholder, facts: PageFacts): string {
  switch (name) {
    case "retry-after":
      return facts.retryAfterSeconds === undefined ? "" : String(facts.retryAfterSeconds)
    case "refresh":
      return facts.reload ? `<meta http-equiv="refresh" content="${facts.retryAfterSeconds ?? 5}">` : ""
    case "status":
    case "title":
    case "code":
    case "exchange":
    case "advice":
      return escaped(String(facts[name]))
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

function ownTemplate({ reload }: PageFacts): string {
  const again = reload
    ? `<p>This page tries again by itself every {{retry-after}} seconds. <a href="">Try now</a></p>\n`
    : ""
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
{{refresh}}
<title>{{title}}</title>
<style>
:root { color-scheme: light dark; font: 18px/1.5 system-ui, sans-serif }
body { max-width: 34rem; margin: 15vh auto 2rem; padding: 0 1.25rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem }
p { margin: 0 0 .75rem }
small { display: block; margin-top: 2rem; opacity: .65; font-size: .8rem; overflow-wrap: anywhere }
</style>
<h1>{{title}}</h1>
<p>{{advice}}</p>
${again}<small>{{status}} &middot; {{code}}<br>If you ask for help, say this: {{exchange}}</small>
</html>
`
}
