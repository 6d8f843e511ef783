// Text as a terminal shows it: how wide it is, cut and padded to a width, made harmless, and coloured.
import stringWidth from "string-width"

/** `text` in at most `columns` columns; where something is left out there is an ellipsis. Never gives the terminal orders. */
export function cut(text: string, columns: number): string {
  const safe = harmless(text)
  if (stringWidth(safe) <= columns) return safe
  let kept = ""
  let width = 0
  for (const { segment } of graphemes.segment(safe)) {
    width += stringWidth(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return columns < 1 ? "" : `${kept}…`
}

/** Exactly `columns` columns wide. */
export function fitted(text: string, columns: number): string {
  const kept = cut(text, columns)
  return kept + " ".repeat(columns - stringWidth(kept))
}

/** As `fitted`, with the text at the right. */
export function fittedRight(text: string, columns: number): string {
  const kept = cut(text, columns)
  return " ".repeat(columns - stringWidth(kept)) + kept
}

/** A terminal obeys control characters, and others turn the direction of text; what a peer sent must do neither. */
function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?")
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

export type Colour = keyof typeof codes

/** Puts a colour around a text; the text itself stays as wide as it is. */
export type Paint = (colour: Colour, text: string) => string

export const inColour: Paint = (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`
export const plain: Paint = (_colour, text) => text

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
