// What a person at the terminal sees of a running agent: log lines and request lines that scroll by, and under them the status
// block, a few times a second at most.
import type { TextOutput } from "@restante/protocol"
import type { SettledRequest } from "../observe/settled-request.ts"
import type { ProgramStatus } from "../status/status.ts"
import type { ReplayOutcome } from "../upstream/replay.ts"
import { blockLines } from "./block.ts"
import { countText } from "./figures.ts"
import { moreLine, requestLine } from "./request-line.ts"
import { RequestLines } from "./request-lines.ts"
import { Screen } from "./screen.ts"
import { inColour, plain, type Paint } from "./text.ts"

export interface TerminalOptions {
  readonly output: TextOutput
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly version: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

const redrawMs = 250

export class Terminal {
  /** Where the log goes instead of straight to the terminal. */
  readonly log: TextOutput
  readonly #options: TerminalOptions
  readonly #screen: Screen
  readonly #paint: Paint
  readonly #requests: RequestLines
  #logLines: string[] = []
  #shown: { readonly status: () => ProgramStatus; readonly pageUrl: string | undefined } | undefined
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined

  constructor(options: TerminalOptions) {
    this.#options = options
    this.#screen = new Screen(options.output)
    const { NO_COLOR: noColour } = options.environment
    this.#paint = noColour === undefined || noColour === "" ? inColour : plain // no-color.org
    this.#requests = new RequestLines(options.now)
    const { output } = options
    this.log = {
      isTerminal: true,
      get columns() {
        return output.columns
      },
      write: (text) => this.#log(text),
    }
  }

  /** Shows the block from now on. */
  start(status: () => ProgramStatus, pageUrl: string | undefined): void {
    this.#shown = { status, pageUrl }
    this.#tick()
  }

  /** On the hot path. */
  request(tunnel: string, request: SettledRequest, outcome: ReplayOutcome): void {
    this.#requests.add(tunnel, request, outcome)
  }

  /** Leaves the last state standing. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#draw()
    this.#shown = undefined
  }

  /** At once: a program that dies a moment later must have said why. Many of one moment are drawn together. */
  #log(text: string): void {
    this.#logLines.push(...text.replace(/\n$/, "").split("\n"))
    if (this.#shown === undefined) return this.#draw()
    this.#soon ??= setImmediate(() => this.#draw())
  }

  #tick(): void {
    this.#draw()
    this.#timer = setTimeout(() => this.#tick(), redrawMs)
    this.#timer.unref()
  }

  #draw(): void {
    clearImmediate(this.#soon)
    this.#soon = undefined
    const logLines = this.#logLines
    this.#logLines = []
    if (this.#shown === undefined) return this.#screen.draw(logLines, [])
    const { status, pageUrl } = this.#shown
    const { output, version, now } = this.#options
    // One column stays free: some terminals wrap as soon as the last one is written.
    const columns = Math.max(1, output.columns - 1)
    const view = { columns, nowMs: now(), paint: this.#paint }
    const current = status()
    const block = blockLines(current, { ...view, rows: (output.rows ?? 24) - 2, version, pageUrl })
    this.#screen.draw([...logLines, ...this.#requestLines(current, view)], block)
  }

  #requestLines(
    { tunnels }: ProgramStatus,
    view: { readonly columns: number; readonly nowMs: number; readonly paint: Paint },
  ): string[] {
    const { requests, more } = this.#requests.take()
    const names = tunnels.map(({ tunnel }) => tunnel.length)
    const lineView = { ...view, tunnelColumns: names.length === 1 ? 0 : Math.min(16, Math.max(...names)) }
    const lines = requests.map((request) => requestLine(request, lineView))
    return more === 0 ? lines : [...lines, moreLine(`… ${countText(more)} more`, lineView)]
  }
}

/** Whether the block may be shown: on a terminal that can move its cursor. */
export function canRedraw(
  output: TextOutput,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return output.isTerminal && environment["TERM"] !== "dumb"
}
