// What a conformance case is: plain data that says which bytes a client sends, which bytes reach the upstream, what that one
// answers, and which bytes come back. The runner (runner.ts) plays it over every broker and transport.
import type { Part } from "./template.ts"

export interface Case {
  /** Row of the checklist, 1 to 47. */
  readonly row: number
  /** A promise in plain words. */
  readonly title: string
  /** Where the promise is written, for example "RFC 9112 §6.3". */
  readonly rfc: string
  /** What the client's connection sends and sees. */
  readonly client: readonly Step[]
  /** A second client at the same time. */
  readonly otherClient?: readonly Step[]
  /** One script for each request that reaches the upstream, in order; without it none may reach it. */
  readonly upstream?: readonly (readonly Step[])[]
  /** Which pair; see world.ts. Default "plain". */
  readonly setup?: Setup
  /** The agent that serves it, see world.ts; it is reached by a host whose first label is this name. Default "default". */
  readonly tunnel?: Tunnel
  /** With Redis: a text that must be nowhere in it once the case is over. */
  readonly leavesNoTrace?: string
}

export type Setup = "plain" | "tuned"
export type Tunnel =
  | "default"
  | "upstream-host"
  | "fixed-host"
  | "based"
  | "refusing"
  | "nameless"
  | "no-tls"
  | "distrusted"
  | "loop"
  | "round"
  | "mortal"

export type Step =
  /** Sends these bytes, latin-1, in one write. */
  | { readonly does: "says"; readonly bytes: string }
  /** Waits for exactly these bytes. */
  | { readonly does: "gets"; readonly parts: readonly Part[] }
  /** Ends its sending side; the other direction goes on. */
  | { readonly does: "ends" }
  /** Breaks the connection with RST. */
  | { readonly does: "resets" }
  /** Closes the connection, as a process that ends does. */
  | { readonly does: "leaves" }
  /** Waits until the other side has ended (FIN), or broken (RST), the connection. */
  | { readonly does: "sees"; readonly ending: "end" | "reset" | "end or reset"; readonly withinMs: number }
  /** Lets the other script go on at its `awaits`. */
  | { readonly does: "tells"; readonly what: string }
  | { readonly does: "awaits"; readonly what: string }
  /** For an upstream: whether the request came on a connection that had served before. */
  | { readonly does: "is on"; readonly connection: "kept" | "new" }
  /** Waits until the edge says that so many exchanges wait for an agent. */
  | { readonly does: "sees waiting"; readonly count: number }
  | { readonly does: "kills the agent" }
  | { readonly does: "starts the agent" }

export const says = (...pieces: readonly string[]): Step => ({ does: "says", bytes: pieces.join("") })
export const gets = (...parts: readonly Part[]): Step => ({ does: "gets", parts })
export const ends: Step = { does: "ends" }
export const resets: Step = { does: "resets" }
export const leaves: Step = { does: "leaves" }
export const seesEnd: Step = { does: "sees", ending: "end", withinMs: 10_000 }
export const seesReset: Step = { does: "sees", ending: "reset", withinMs: 10_000 }
/** The connection is closed within a second, whichever way. */
export const seesAbort: Step = { does: "sees", ending: "end or reset", withinMs: 1000 }
export const tells = (what: string): Step => ({ does: "tells", what })
export const awaits = (what: string): Step => ({ does: "awaits", what })
export const isOn = (connection: "kept" | "new"): Step => ({ does: "is on", connection })
export const seesWaiting = (count: number): Step => ({ does: "sees waiting", count })
export const killsAgent: Step = { does: "kills the agent" }
export const startsAgent: Step = { does: "starts the agent" }

/** A head: its lines, each with CRLF, and the empty line. */
export const head = (...lines: readonly string[]): string => `${lines.join("\r\n")}\r\n\r\n`

/** The head of a request as it reaches the upstream: the client's lines, and what the edge adds. `host`: of the client's request. */
export function forwarded(lines: readonly string[], host = "a", via = "1.1"): string {
  return head(
    ...lines,
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: http",
    ...(host === "" ? [] : [`X-Forwarded-Host: ${host}`]),
    `Via: ${via} ‹edge›`,
  )
}

/** The head of a response as it reaches the client: the upstream's lines, Date if it sent none, Via, and what frames it. */
export function answered(lines: readonly string[], ...framing: readonly string[]): string {
  const date = lines.some((line) => /^date:/i.test(line)) ? [] : ["Date: ‹date›"]
  return head(...lines, ...date, "Via: 1.1 ‹edge›", ...framing)
}

/** A request that has nothing special, and its answer: what most cases are built around. */
export const plainGet: string = head("GET / HTTP/1.1", "Host: a")
export const plainGetForwarded: string = forwarded(["GET / HTTP/1.1", "Host: a"])
export const ok: string = `${head("HTTP/1.1 200 OK", "Content-Length: 2")}ok`
export const okAnswered: string = `${answered(["HTTP/1.1 200 OK", "Content-Length: 2"])}ok`

/** The client sends these bytes as its request, the upstream gets those, answers 200, and the client gets that. */
export function passes(request: string, expected: string): Pick<Case, "client" | "upstream"> {
  return { client: [says(request), gets(okAnswered)], upstream: [[gets(expected), says(ok)]] }
}

/** The upstream answers a plain GET with these bytes, and the client gets those. */
export function answers(response: string, ...expected: readonly Part[]): Pick<Case, "client" | "upstream"> {
  return {
    client: [says(plainGet), gets(...expected)],
    upstream: [[gets(plainGetForwarded), says(response)]],
  }
}
