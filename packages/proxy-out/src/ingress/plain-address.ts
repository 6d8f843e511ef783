// A peer's address as it is shown and told.

/** "::ffff:192.0.2.1" is an IPv4 client on a dual-stack socket. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unknown"
  return address.startsWith("::ffff:") ? address.slice(7) : address
}
