// A terminal with a block of lines at the bottom that is redrawn in place, and lines that scroll by above it. Every change is
// one write that overwrites what stood there, so nothing flickers. No mode of the terminal is changed that would have to be restored.
import stringWidth from "string-width"
import type { TextOutput } from "@restante/protocol"

export class Screen {
  readonly #output: TextOutput
  /** As it stands on the terminal, with the cursor on the line below it. */
  #block: readonly string[] = []

  constructor(output: TextOutput) {
    this.#output = output
  }

  /** Puts `lines` above the block, and `block` in the place of the one before. Lines above the block may be wider than the terminal. */
  draw(lines: readonly string[], block: readonly string[]): void {
    if (lines.length === 0 && sameLines(block, this.#block)) return
    const rows = this.#rowsOfBlock()
    const up = rows === 0 ? "" : `\u001b[${rows}A\r`
    const text = [...lines, ...block].map((line) => `${line}${clearToLineEnd}\n`).join("")
    // Where the terminal knows it, the change shows all at once; others ignore it.
    this.#output.write(`${beginUpdate}${up}${text}${clearBelow}${endUpdate}`)
    this.#block = block
  }

  /** A window that has become narrower has wrapped the block's lines. */
  #rowsOfBlock(): number {
    const { columns } = this.#output
    let rows = 0
    for (const line of this.#block) rows += Math.max(1, Math.ceil(stringWidth(line) / Math.max(1, columns)))
    return rows
  }
}

const clearToLineEnd = "\u001b[K"
const clearBelow = "\u001b[J"
const beginUpdate = "\u001b[?2026h"
const endUpdate = "\u001b[?2026l"

function sameLines(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at])
}
