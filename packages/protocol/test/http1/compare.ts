// Finds what two readers of one stream do not agree about.

import type { Http1ErrorCode } from "../../src/http1/index.ts"
import type { Message, OurTranscript, Transcript } from "./transcript.ts"

export interface Difference {
  /** we_refuse: Node accepts what we do not. we_accept: the other way round. read_differently: both accept, but not the same. */
  readonly kind: "we_refuse" | "we_accept" | "read_differently"
  /** Index of the message it is about. */
  readonly index: number
  readonly ourError: Http1ErrorCode | undefined
  readonly nodeError: string | undefined
  /** What was read differently. */
  readonly part: keyof Message | "boundary" | undefined
}

/**
 * None: whatever we accepted, Node read the same, and what we refused, Node refused too. A different keep-alive does not end the
 * comparison; every other difference does, as what follows it has no meaning.
 */
export function differences(ours: OurTranscript, node: Transcript): Difference[] {
  const found: Difference[] = []
  const add = (kind: Difference["kind"], index: number, part?: Difference["part"]): Difference[] => {
    found.push({ kind, index, ourError: ours.error, nodeError: node.error, part })
    return found
  }
  for (const [index, mine] of ours.messages.entries()) {
    const theirs = node.messages[index]
    // Node has stopped before it: at an error, or because the message before asked for another protocol.
    if (theirs === undefined)
      return node.rest === -1 ? add("we_accept", index) : add("read_differently", index - 1, "boundary")
    const part = differentPart(mine, theirs)
    if (part !== undefined) return add("read_differently", index, part)
    if (mine.complete && !theirs.complete)
      return add(node.error === undefined ? "read_differently" : "we_accept", index, "boundary")
    // Node goes on reading where the body broke for us.
    if (!mine.complete && theirs.complete) return add("we_refuse", index)
    if (mine.keepAlive !== theirs.keepAlive) add("read_differently", index, "keepAlive")
  }
  return endsDifferently(ours, node, add) ?? found
}

function endsDifferently(
  ours: OurTranscript,
  node: Transcript,
  add: (kind: Difference["kind"], index: number, part?: Difference["part"]) => Difference[],
): Difference[] | undefined {
  const next = ours.messages.length
  const last = ours.messages.at(-1)
  if (node.rest !== -1 && ours.rest === -1 && last?.keepAlive === true && node.messages.length === next)
    return add("read_differently", next - 1, "boundary")
  if (ours.error !== undefined)
    return node.messages.length > next || node.error === undefined
      ? add("we_refuse", last?.complete === false ? next - 1 : next)
      : undefined
  if (ours.rest !== -1)
    return ours.rest === node.rest ? undefined : add("read_differently", next - 1, "boundary")
  // We read no further; a parser that is told nothing about the connection does.
  if (last?.keepAlive === false) return undefined
  return node.messages.length > next || node.error !== undefined ? add("we_accept", next) : undefined
}

/** A body that one of the two broke off needs only to be a beginning of the other's. */
function differentPart(mine: Message, theirs: Message): keyof Message | undefined {
  if (mine.start[0] !== theirs.start[0] || mine.start[1] !== theirs.start[1]) return "start"
  if (mine.minorVersion !== theirs.minorVersion) return "minorVersion"
  if (!sameItems(mine.fields, theirs.fields)) return "fields"
  if (mine.complete && theirs.complete) {
    if (mine.body !== theirs.body) return "body"
    return sameItems(mine.trailers, theirs.trailers) ? undefined : "trailers"
  }
  return mine.body.startsWith(theirs.body) || theirs.body.startsWith(mine.body) ? undefined : "body"
}

const sameItems = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index])
