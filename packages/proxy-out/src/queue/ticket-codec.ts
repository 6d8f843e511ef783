// A batch of tickets as one string, the way it lies in a job: counts and lengths in plain digits, then the fields
// themselves, bodies in base64. Encoding costs one concatenation a ticket; decoding checks every number before it trusts one.
import { openKind } from "@restante/protocol"
import type { Ticket } from "./broker.ts"

/** At most this many tickets ride in one job. */
export const maxBatchTickets = 256
/** A job is closed when its tickets reach this many characters; a single larger ticket rides alone. */
export const maxBatchChars = 1_048_576

/**
 * The batch as a string of latin-1 characters. All tickets belong to one owner and one tunnel; the tunnel is not
 * written, the queue that holds the job says it.
 */
export function encodeTickets(owner: string, tickets: Iterable<Ticket>): string {
  let text = `${batchVersion}${owner};`
  for (const ticket of tickets) {
    const { clientAddress, scheme, traceparent = "" } = ticket.record
    const body = ticket.body?.toString("base64") ?? ""
    const flags =
      (ticket.idempotent ? flag.idempotent : 0) |
      (ticket.bodyFollows ? flag.bodyFollows : 0) |
      (ticket.body ? flag.body : 0) |
      (scheme === "https" ? flag.https : 0) |
      ((ticket.kind - 1) << kindShift)
    text +=
      `${ticket.id},${ticket.attempt},${ticket.deadlineAt},${flags},` +
      `${clientAddress.length},${traceparent.length},${ticket.head.length},${body.length};` +
      clientAddress +
      traceparent +
      ticket.head +
      body
  }
  return text
}

/** Characters that one more ticket adds to a batch, at most. */
export function ticketChars(ticket: Ticket): number {
  const { clientAddress, traceparent = "" } = ticket.record
  const bodyChars = ticket.body ? Math.ceil(ticket.body.length / 3) * 4 : 0
  return maxPrefixChars + clientAddress.length + traceparent.length + ticket.head.length + bodyChars
}

/** The tickets of a batch that any edge may have written, or undefined when a single character is not as it should be. */
export function decodeTickets(tunnel: string, text: string): Ticket[] | undefined {
  if (text.length > maxTextChars || !text.startsWith(batchVersion) || !latin1.test(text)) return undefined
  const ownerEnd = text.indexOf(";")
  const owner = text.slice(batchVersion.length, ownerEnd)
  if (ownerEnd === -1 || !identifier.test(owner)) return undefined
  const tickets: Ticket[] = []
  let position = ownerEnd + 1
  while (position < text.length) {
    if (tickets.length === maxBatchTickets) return undefined
    prefixPattern.lastIndex = position
    const prefix = prefixPattern.exec(text)
    if (!prefix) return undefined
    position += prefix[0].length
    const numbers = prefix.slice(2).map(Number)
    const [
      attempt = 0,
      deadlineAt = 0,
      flags = 0,
      addressChars = 0,
      traceChars = 0,
      headChars = 0,
      bodyChars = 0,
    ] = numbers
    if (attempt < 1 || attempt > 255 || flags > allFlags || bodyChars % 4 !== 0) return undefined
    if (position + addressChars + traceChars + headChars + bodyChars > text.length) return undefined
    const take = (chars: number): string => text.slice(position, (position += chars))
    const clientAddress = take(addressChars)
    const traceparent = take(traceChars)
    const head = take(headChars)
    const body = Buffer.from(take(bodyChars), "base64")
    if (!visible.test(clientAddress) || !visible.test(traceparent) || !head.endsWith("\r\n\r\n"))
      return undefined
    if ((flags & flag.body) === 0 && body.length > 0) return undefined
    const kind = kinds[flags >> kindShift]
    if (kind === undefined) return undefined
    tickets.push({
      id: prefix[1] ?? "",
      kind,
      tunnel,
      owner,
      attempt,
      deadlineAt,
      idempotent: (flags & flag.idempotent) !== 0,
      record: {
        clientAddress,
        scheme: (flags & flag.https) !== 0 ? "https" : "http",
        traceparent: traceparent || undefined,
      },
      head,
      bodyFollows: (flags & flag.bodyFollows) !== 0,
      body: (flags & flag.body) !== 0 ? body : undefined,
    })
  }
  return tickets.length > 0 ? tickets : undefined
}

const batchVersion = "1:"
const flag = { idempotent: 1, bodyFollows: 2, body: 4, https: 8 } as const
const allFlags = 63
/** Above the flags stands the kind, counted from 0. */
const kindShift = 4
const kinds = [openKind.http, openKind.upgrade, openKind.tcp, openKind.udp] as const
const maxPrefixChars = 128
/** One ticket larger than a batch may ride alone: head and body have limits of their own, below this. */
const maxTextChars = 4 * maxBatchChars
const identifier = /^[!-:<-~]{1,64}$/
const visible = /^[ -~]{0,255}$/
// oxlint-disable-next-line no-control-regex -- every octet is allowed, anything wider is not an octet
const latin1 = /^[\x00-\xff]*$/
const prefixPattern =
  /([!-+\--:<-~]{1,64}),(\d{1,3}),(\d{1,16}),(\d{1,2}),(\d{1,3}),(\d{1,3}),(\d{1,7}),(\d{1,7});/y
