// Reads NO_PROXY: which hosts are reached without a proxy. Nobody has specified it; this is what curl, Go and undici agree on.
import net from "node:net"

/**
 * `list`: entries between commas or blanks, each `*`, a name (with all names below it), `.suffix` (likewise), `*.suffix` (only those
 * below), an address, or a range as in 10.0.0.0/8; all but the range may end in `:port`. An entry that is none of these excepts nothing.
 * `host`: name or address without brackets.
 */
export function isExcepted(list: string, host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, "")
  return list.split(/[\s,]+/).some((entry) => entry !== "" && excepts(entry.toLowerCase(), name, port))
}

function excepts(entry: string, name: string, port: number): boolean {
  const range = /^([\d.]+|\[?[\da-f:.]+\]?)\/(\d{1,3})$/.exec(entry)
  if (range !== null) return isWithin(bare(range[1] ?? ""), Number(range[2]), name)
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(entry)
  // A bare IPv6 address has colons of its own.
  const host = bare(parts?.[1] ?? entry)
  if (parts?.[2] !== undefined && Number(parts[2]) !== port) return false
  if (host === "*") return true
  if (net.isIP(host) !== 0) return isWithin(host, net.isIPv6(host) ? 128 : 32, name)
  const suffix = host.replace(/^\*?\./, "").replace(/\.$/, "")
  if (suffix === "") return false
  return name.endsWith(`.${suffix}`) || (name === suffix && !host.startsWith("*"))
}

function isWithin(network: string, bits: number, address: string): boolean {
  const family = net.isIP(network)
  if (family === 0 || net.isIP(address) !== family || bits > (family === 6 ? 128 : 32)) return false
  const list = new net.BlockList()
  const name = family === 6 ? "ipv6" : "ipv4"
  list.addSubnet(network, bits, name)
  return list.check(address, name)
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1")
}
