// Max-Forwards counts the hops that an OPTIONS request may still go (RFC 9110 section 7.6.2): at 0 we answer it ourselves,
// otherwise it goes on with one less. TRACE, the other method that it is for, is refused anyway.
import type { RequestHead } from "@restante/protocol"

/** Methods that cross; every other one does too, save CONNECT and TRACE. */
export const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

/** The request is not to be forwarded: we are its last recipient. */
export function endsHere({ method, fields }: RequestHead): boolean {
  return method === "OPTIONS" && hopsOf(fields.get("max-forwards")) === 0
}

/** What this server says about itself as a whole. */
export function optionsAnswer(dateLine: string, keepAlive: boolean): Buffer {
  const connection = keepAlive ? "" : "Connection: close\r\n"
  return Buffer.from(
    `HTTP/1.1 200 OK\r\n${dateLine}Allow: ${allowedMethods}\r\nContent-Length: 0\r\n${connection}\r\n`,
    "latin1",
  )
}

/** The lines of an OPTIONS request with every Max-Forwards lowered by one. What is no number stays as it is. */
export function withOneHopLess(lines: string): string {
  return lines.replaceAll(maxForwardsLine, (line, name: string, digits: string) => {
    const hops = hopsOf(digits)
    return hops === undefined ? line : `${name}${Math.max(0, hops - 1)}\r\n`
  })
}

const maxForwardsLine = /^(max-forwards:[ \t]*)([0-9]+)[ \t]*\r\n/gim

function hopsOf(value: string | undefined): number | undefined {
  return value !== undefined && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined
}
