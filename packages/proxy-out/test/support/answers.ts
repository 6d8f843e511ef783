// Reads what an edge wrote to a client: the answers one after the other, by a reader that is not the project's own.

export interface Answer {
  readonly status: number
  readonly reason: string
  /** Names as they came. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** First value of a field, name in lower case; undefined when it is absent. */
  get(name: string): string | undefined
  readonly body: string
  readonly trailers: string
}

/** `toHead`: the requests were HEAD, their answers have no body. Throws when the text is not a row of whole answers. */
export function answersIn(text: string, { toHead = false }: { readonly toHead?: boolean } = {}): Answer[] {
  const answers: Answer[] = []
  let rest = text
  while (rest !== "") {
    const headEnd = rest.indexOf("\r\n\r\n")
    if (headEnd < 0) throw new Error(`not a whole head: ${JSON.stringify(rest.slice(0, 100))}`)
    const [statusLine = "", ...lines] = rest.slice(0, headEnd).split("\r\n")
    rest = rest.slice(headEnd + 4)
    const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine)
    if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
    const fields = lines.map((line) => {
      const colon = line.indexOf(": ")
      return [line.slice(0, colon), line.slice(colon + 2)] as const
    })
    const get = (name: string): string | undefined => fields.find(([own]) => own.toLowerCase() === name)?.[1]
    const status = Number(match[1])
    const bodiless = toHead || status < 200 || status === 204 || status === 304
    const { body, trailers, after } = bodiless
      ? { body: "", trailers: "", after: rest }
      : bodyOf(rest, get("content-length"), get("transfer-encoding"))
    answers.push({ status, reason: match[2] ?? "", fields, get, body, trailers })
    rest = after
  }
  return answers
}

export function onlyAnswerIn(text: string, options?: { readonly toHead?: boolean }): Answer {
  const [answer, ...more] = answersIn(text, options)
  if (answer === undefined || more.length > 0) throw new Error(`${more.length + 1} answers: ${text}`)
  return answer
}

interface Body {
  readonly body: string
  readonly trailers: string
  readonly after: string
}

function bodyOf(text: string, length: string | undefined, coding: string | undefined): Body {
  if (coding === "chunked") return chunkedBody(text)
  if (length === undefined) return { body: text, trailers: "", after: "" }
  const bytes = Number(length)
  if (text.length < bytes) throw new Error(`${text.length} bytes of a body of ${bytes}`)
  return { body: text.slice(0, bytes), trailers: "", after: text.slice(bytes) }
}

function chunkedBody(text: string): Body {
  let body = ""
  let rest = text
  for (;;) {
    const match = /^([0-9a-f]+)\r\n/i.exec(rest)
    if (match === null) throw new Error(`not a chunk: ${JSON.stringify(rest.slice(0, 40))}`)
    const bytes = Number.parseInt(match[1] ?? "", 16)
    rest = rest.slice(match[0].length)
    if (bytes === 0) break
    if (rest.slice(bytes, bytes + 2) !== "\r\n") throw new Error("a chunk without its end")
    body += rest.slice(0, bytes)
    rest = rest.slice(bytes + 2)
  }
  if (rest.startsWith("\r\n")) return { body, trailers: "", after: rest.slice(2) }
  const end = rest.indexOf("\r\n\r\n")
  if (end < 0) throw new Error("a trailer section without its end")
  return { body, trailers: rest.slice(0, end + 2), after: rest.slice(end + 4) }
}
