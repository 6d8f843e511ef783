// A terminal as far as the status block uses one: lines, a cursor that goes up, and clearing. Anything else is an error.
import type { TextOutput } from "@restante/protocol"

export class Emulator implements TextOutput {
  readonly isTerminal = true
  columns: number
  rows: number
  /** Everything that was written, write by write. */
  readonly writes: string[] = []
  readonly #lines: string[] = [""]
  #rest = ""
  #row = 0
  #column = 0

  constructor(columns = 80, rows = 24) {
    this.columns = columns
    this.rows = rows
  }

  /** What stands there, without colours and without blanks at the ends of lines. */
  get text(): string {
    return this.#lines.map((line) => line.trimEnd()).join("\n")
  }

  write(text: string): void {
    this.writes.push(text)
    const all = this.#rest + text
    this.#rest = begun.exec(all)?.[0] ?? ""
    for (const [part] of all.slice(0, all.length - this.#rest.length).matchAll(parts)) this.#obey(part)
  }

  #obey(part: string): void {
    const up = cursorUp.exec(part)?.[1]
    if (up !== undefined) this.#row = Math.max(0, this.#row - Number(up))
    else if (part === "\r") this.#column = 0
    else if (part === "\n") this.#newLine()
    else if (part === "\u001B[K") this.#lines[this.#row] = this.#line.slice(0, this.#column)
    else if (part === "\u001B[J") this.#clearBelow()
    else if (!part.startsWith("\u001B")) this.#put(part)
    else if (!isHarmless.test(part)) throw new Error(`unknown to this terminal: ${JSON.stringify(part)}`)
  }

  get #line(): string {
    return this.#lines[this.#row] ?? ""
  }

  #newLine(): void {
    this.#row++
    this.#column = 0
    this.#lines[this.#row] ??= ""
  }

  #clearBelow(): void {
    this.#lines[this.#row] = this.#line.slice(0, this.#column)
    this.#lines.length = this.#row + 1
  }

  #put(sign: string): void {
    const line = this.#line.padEnd(this.#column)
    this.#lines[this.#row] = line.slice(0, this.#column) + sign + line.slice(this.#column + sign.length)
    this.#column += sign.length
  }
}

// oxlint-disable-next-line no-control-regex -- terminals are told things by them
const cursorUp = /^\u001B\[(\d+)A$/
/** What a write may end with of an order that goes on in the next one. */
// oxlint-disable-next-line no-control-regex -- terminals are told things by them
const begun = /\u001B(?:\[[\d?;]*)?$/
/** Colours, and the marks around a change that is to show at once. */
// oxlint-disable-next-line no-control-regex -- terminals are told things by them
const isHarmless = /^\u001B\[(?:\d+m|\?2026[hl])$/
// oxlint-disable-next-line no-control-regex -- terminals are told things by them
const parts = /\u001B\[[\d?;]*[A-Za-z]|\r|\n|[^\u001B\r\n]+/g
