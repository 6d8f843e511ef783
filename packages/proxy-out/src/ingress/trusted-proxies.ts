// Proxies in front of this edge whose word about their clients counts (RFC 7239 section 8.1). Anybody else's X-Forwarded-* and
// Forwarded could be an invention, and are replaced.
import { BlockList, isIP } from "node:net"
import type { FieldBlock, Scheme } from "@restante/protocol"

export class TrustedProxies {
  readonly #ranges = new BlockList()

  /** `ranges` as `parseAddressRange` gives them. */
  constructor(ranges: readonly AddressRange[]) {
    for (const { address, prefixBits } of ranges)
      this.#ranges.addSubnet(address, prefixBits, familyOf(address))
  }

  trusts(address: string): boolean {
    return isIP(address) !== 0 && this.#ranges.check(address, familyOf(address))
  }

  /** The client that a request of a trusted peer is for: from the right, the first address that is not trusted itself. */
  clientOf(fields: FieldBlock, peer: string): string {
    let client = peer
    const hops = fields.all("x-forwarded-for").join(",").split(",")
    while (this.trusts(client)) {
      const hop = plainAddress(hops.pop() ?? "")
      if (isIP(hop) === 0) break
      client = hop
    }
    return client
  }
}

export interface AddressRange {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string
  readonly prefixBits: number
}

/** `192.0.2.0/24`, `2001:db8::/32` or one address; undefined for anything else. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = "", digits] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text.trim()) ?? []
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const prefixBits = digits === undefined ? bits : Number(digits)
  return bits > 0 && prefixBits <= bits ? { address, prefixBits } : undefined
}

export interface Hop {
  /** The peer's address, without port or brackets. */
  readonly address: string
  readonly scheme: Scheme
  /** What the peer asked for; undefined or empty when it did not say. */
  readonly host: string | undefined
}

/** Lines that tell the upstream who a trusted peer's client is: what the peer said, and the peer itself behind it. */
export function continuedForwarding(fields: FieldBlock, hop: Hop): string {
  const known = fields.all("x-forwarded-for")
  let lines = `X-Forwarded-For: ${[...known, hop.address].join(", ")}\r\n`
  lines += kept(fields, "x-forwarded-proto", "X-Forwarded-Proto", hop.scheme)
  lines += kept(fields, "x-forwarded-host", "X-Forwarded-Host", hop.host)
  lines += kept(fields, "x-forwarded-port", "X-Forwarded-Port", undefined)
  const forwarded = fields.all("forwarded")
  // RFC 7239 section 4: a list that misses a hop would say something untrue, so one that was begun is continued.
  if (forwarded.length > 0) lines += `Forwarded: ${[...forwarded, forwardedElement(hop)].join(", ")}\r\n`
  return lines
}

/** RFC 7239 section 4, with an IPv6 address in brackets and quotes (section 6.1). */
function forwardedElement({ address, scheme, host }: Hop): string {
  const node = { 0: "unknown", 4: address, 6: `"[${address}]"` }[isIP(address)] ?? "unknown"
  return `for=${node};${host === undefined || host === "" ? "" : `host="${host}";`}proto=${scheme}`
}

function kept(fields: FieldBlock, name: string, spelled: string, own: string | undefined): string {
  const values = fields.all(name)
  const value = values.length > 0 ? values.join(", ") : own
  return value === undefined || value === "" ? "" : `${spelled}: ${value}\r\n`
}

/** Without the port and the brackets that some proxies write. */
function plainAddress(hop: string): string {
  const text = hop.trim()
  return /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
}

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4")
