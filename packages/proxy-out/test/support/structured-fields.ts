// Reads a structured field whose value is a list (RFC 8941 sections 3.1 and 4.2.1), strictly: Proxy-Status is one.

export type BareItem = number | string | boolean | { readonly token: string }

export interface Item {
  readonly value: BareItem
  readonly parameters: ReadonlyMap<string, BareItem>
}

/** Throws SyntaxError for what is not a list of items. */
export function parseList(text: string): Item[] {
  const input = new Input(text.replace(/^ +/, "").replace(/ +$/, ""))
  const items: Item[] = []
  while (!input.atEnd) {
    items.push(item(input))
    input.skip(/[ \t]*/y)
    if (input.atEnd) return items
    input.need(/,/y, "a comma")
    input.skip(/[ \t]*/y)
    if (input.atEnd) throw new SyntaxError("a comma at the end")
  }
  return items
}

function item(input: Input): Item {
  const value = bareItem(input)
  const parameters = new Map<string, BareItem>()
  while (input.skip(/;/y) !== undefined) {
    input.skip(/ */y)
    const key = input.need(/[a-z*][a-z0-9_.*-]*/y, "a key")
    parameters.set(key, input.skip(/=/y) === undefined ? true : bareItem(input))
  }
  return { value, parameters }
}

function bareItem(input: Input): BareItem {
  const quoted = input.skip(/"(?:[ !#-[\]-~]|\\["\\])*"/y)
  if (quoted !== undefined) return quoted.slice(1, -1).replaceAll(/\\(.)/g, "$1")
  const number = input.skip(/-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![.\d])/y)
  if (number !== undefined) return Number(number)
  const flag = input.skip(/\?[01]/y)
  if (flag !== undefined) return flag === "?1"
  return { token: input.need(/[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y, "an item") }
}

class Input {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** `pattern` is sticky. */
  skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  need(pattern: RegExp, what: string): string {
    const found = this.skip(pattern)
    if (found === undefined || found === "")
      throw new SyntaxError(`${what} is missing at ${JSON.stringify(this.#text.slice(this.#at))}`)
    return found
  }
}
