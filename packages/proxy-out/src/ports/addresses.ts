// Addresses as the head of a port's stream says them.
import { plainAddress } from "../ingress/plain-address.ts"

/** An IPv4 client of a dual-stack socket has its IPv4 address; a zone ("fe80::1%eth0") is this machine's matter and left out. */
export function headAddress(address: string | undefined): string {
  const plain = plainAddress(address)
  const zone = plain.indexOf("%")
  return zone === -1 ? plain : plain.slice(0, zone)
}
