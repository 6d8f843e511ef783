// How the options that only proxy-out has are read from their text. What is wrong with one is told in one line that says
// how to write it, without showing what may be secret.
import { byteSize, CommandError, parseRoute, shown } from "@restante/protocol"
import { parseAddressRange, type AddressRange } from "./ingress/trusted-proxies.ts"
import { parsePortRange, type PortRange } from "./ports/port-range.ts"
import { parseRedisUrl, type RedisAddress } from "./queue/redis-url.ts"

const limited = byteSize({ leastBytes: 0, mostBytes: 8192 * 1024 ** 3 })

/** Of a body, 0 to 8192 GiB; infinite for `unlimited`. */
export const bodySize = {
  schema: { anyOf: [{ enum: ["unlimited"] }, limited.schema] },
  read: (text: string): number =>
    text.trim().toLowerCase() === "unlimited" ? Number.POSITIVE_INFINITY : limited.read(text),
} as const

export const portRange = {
  schema: { type: ["string", "integer"], pattern: "^[0-9]{1,5}(-[0-9]{1,5})?$", minimum: 1, maximum: 65_535 },
  read: parsePorts,
} as const

/** Bytes per second, 0 to 1 MiB. */
export const rate = (bytesPerSecond: number): Rate => ({ ...slow, default: `${bytesPerSecond}B` })
const slow = byteSize({ leastBytes: 0, mostBytes: 1024 ** 2 })
type Rate = typeof slow & { readonly default: string }

export function parseDomain(text: string): string {
  const route = parseRoute(text)
  if (route?.host !== undefined && !route.wildcard && route.prefix === "") return route.host
  throw new CommandError(
    "usage",
    "This is not a domain. Give a name without port, as in tunnels.example.com.",
  )
}

/** Raises `CommandError("usage")` without showing the URL, which may hold a password. */
export function checkRedisUrl(text: string): string {
  redisAddress(text)
  return text
}

/** False for a text that is no URL: reading it says so without showing it. */
export function holdsPassword(text: string): boolean {
  try {
    const { username, password } = parseRedisUrl(text)
    return username !== undefined || password !== undefined
  } catch {
    return false
  }
}

function redisAddress(text: string): RedisAddress {
  try {
    return parseRedisUrl(text)
  } catch (error) {
    throw new CommandError(
      "usage",
      "This is not the URL of a Redis. Write redis://HOST:PORT, rediss://HOST:PORT for TLS, or redis://HOST:PORT/DB for another database.",
      { cause: error },
    )
  }
}

export function parseTrustedProxy(text: string): AddressRange {
  const range = parseAddressRange(text)
  if (range !== undefined) return range
  throw new CommandError(
    "usage",
    `${shown(text)} is no range of addresses. Write one as in 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32.`,
  )
}

function parsePorts(text: string): PortRange {
  const range = parsePortRange(text)
  if (range !== undefined) return range
  throw new CommandError(
    "usage",
    `${shown(text)} is no range of ports. Write FIRST-LAST as in 20000-20999, or a single port, each from 1 to 65535.`,
  )
}

export function parseHost(text: string): string {
  // A bracketed IPv6 address is how URLs write it; listening wants it bare.
  const bare = /^\[([\da-f:.%a-z]+)\]$/i.exec(text)?.[1] ?? text
  if (/^[\w.:%-]{1,255}$/.test(bare) && !/^[\w.-]+:\d*$/.test(bare)) return bare
  throw new CommandError(
    "usage",
    "This is not an address to listen on. Give one without port, as in 127.0.0.1, ::1 or localhost.",
  )
}
