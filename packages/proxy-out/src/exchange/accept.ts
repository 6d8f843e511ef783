// Whether a client would rather read a page than JSON (RFC 9110 §12.5.1): browsers say so, tools and scripts do not.

/** `accept`: the field's value, several lines joined by commas; undefined: the client takes anything. On a tie it is not the page. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > maxLength) return false
  const ranges = accept.split(",").flatMap((member) => mediaRange(member) ?? [])
  const html = qualityOf(["text/html", "text/*", "*/*"], ranges)
  const json = Math.max(
    qualityOf(["application/problem+json", "application/*", "*/*"], ranges),
    qualityOf(["application/json", "application/*", "*/*"], ranges),
  )
  return html > json
}

/** What browsers send is a tenth of it. */
const maxLength = 4096

interface MediaRange {
  readonly range: string
  readonly quality: number
}

function mediaRange(member: string): MediaRange | undefined {
  const [range = "", ...parameters] = member.split(";").map((part) => part.trim().toLowerCase())
  let quality = 1
  for (const parameter of parameters) {
    const weight = /^q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.exec(parameter)?.[1]
    if (weight !== undefined) quality = Number(weight)
    // Any other parameter narrows the range to something that we do not have; the page is in UTF-8.
    else if (!/^charset\s*=\s*"?utf-8"?$/.test(parameter) && parameter !== "") return undefined
  }
  return { range, quality }
}

/** Of the most specific range that stands there; 0 for none. */
function qualityOf(names: readonly string[], ranges: readonly MediaRange[]): number {
  for (const name of names) {
    const found = ranges.filter(({ range }) => range === name)
    if (found.length > 0) return Math.max(...found.map(({ quality }) => quality))
  }
  return 0
}
