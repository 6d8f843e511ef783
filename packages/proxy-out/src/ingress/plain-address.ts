// A peer's address as it is shown, told and counted.

/** "::ffff:192.0.2.1" is an IPv4 client on a dual-stack socket. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unknown"
  return address.startsWith("::ffff:") ? address.slice(7) : address
}

/** Who has one IPv6 address has 2^64 of them (RFC 4291 section 2.5.1): the first 64 bits count. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address
  const [bare = ""] = address.split("%")
  const [left = "", right] = bare.split("::")
  const head = left === "" ? [] : left.split(":")
  const tail = right === undefined || right === "" ? [] : right.split(":")
  const all =
    right === undefined
      ? head
      : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`
}
