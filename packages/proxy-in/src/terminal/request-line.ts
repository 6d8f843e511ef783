// One request as one line: time, method, path, status, duration, size.
import type { SettledRequest } from "../observe/settled-request.ts"
import type { ReplayOutcome } from "../upstream/replay.ts"
import { durationText, sizeText, timeText } from "./figures.ts"
import { cut, fitted, fittedRight, type Colour, type Paint } from "./text.ts"

/** What a line is made of: a copy, because a `SettledRequest` is valid for a moment only. */
export interface RequestFacts {
  /** Epoch milliseconds, when it ended. */
  readonly at: number
  readonly tunnel: string
  readonly method: string
  /** Without the query, which may hold a secret that nobody else at this screen should see. */
  readonly path: string
  readonly ending: ReplayOutcome
  readonly durationMs: number
  readonly responseBytes: number
}

export function requestFacts(
  tunnel: string,
  request: SettledRequest,
  ending: ReplayOutcome,
  at: number,
): RequestFacts {
  const { method, target, startedAt, endedAt, responseBytes } = request
  const query = target.indexOf("?")
  return {
    at,
    tunnel,
    method,
    path: query === -1 ? target : `${target.slice(0, query)}?…`,
    ending,
    durationMs: endedAt - startedAt,
    responseBytes,
  }
}

export interface LineView {
  readonly columns: number
  readonly nowMs: number
  readonly paint: Paint
  /** Width of the column of tunnel names; 0: only one tunnel, no such column. */
  readonly tunnelColumns: number
}

/** At most `columns` wide; what does not fit is cut from the path first. */
export function requestLine(facts: RequestFacts, { columns, nowMs, paint, tunnelColumns }: LineView): string {
  const { ending } = facts
  const time = timeText(facts.at, nowMs)
  const tunnel = tunnelColumns === 0 ? "" : `${fitted(facts.tunnel, tunnelColumns)} `
  const method = fitted(facts.method === "" ? "?" : facts.method, 7)
  const duration = fittedRight(durationText(facts.durationMs), 8)
  const size = ending.kind === "answered" ? fittedRight(sizeText(facts.responseBytes), 9) : ""
  const result = resultText(ending)
  const fixed =
    time.length + 1 + tunnel.length + method.length + 1 + 1 + result.length + duration.length + size.length
  const path = columns - fixed
  if (path < 8) return cut(`${time} ${facts.method} ${result} ${facts.path}`, columns)
  return (
    `${paint("dim", time)} ${tunnel}${method} ${fitted(facts.path, path)} ` +
    `${paint(colourOf(ending), result)}${duration}${paint("dim", size)}`
  )
}

/** "… 9,312 more" and the like: what a busy second had besides the lines that are shown. */
export function moreLine(text: string, { columns, paint }: LineView): string {
  return paint("dim", cut(`         ${text}`, columns))
}

function resultText(ending: ReplayOutcome): string {
  switch (ending.kind) {
    case "answered":
      return ending.status === 0 ? "closed" : String(ending.status)
    case "failed":
      return ending.code
    case "cancelled":
      return "client left"
  }
}

function colourOf(ending: ReplayOutcome): Colour {
  if (ending.kind === "cancelled") return "dim"
  if (ending.kind === "failed" || ending.status >= 500) return "red"
  if (ending.status >= 400) return "yellow"
  return ending.status >= 300 ? "cyan" : "green"
}
