// Who may come in at a port: so many at a time, and so many of one address, so that one stranger cannot have all of it.
import { networkOf } from "../ingress/plain-address.ts"

export interface ShareLimits {
  /** Of all together, at least 1. */
  readonly most: number
  /** Of one IPv4 address, or of one IPv6 network of 64 bits. */
  readonly mostPerAddress: number
}

/** "port_full": there are as many as the port takes. "address_full": as many as one address may have. */
export type Overflow = "port_full" | "address_full"

export class AddressShares {
  readonly #options: ShareLimits
  readonly #counts = new Map<string, number>()
  #all = 0

  constructor(options: ShareLimits) {
    this.#options = options
  }

  /** Undefined: one more of this address is in, until `leave`. */
  enter(address: string): Overflow | undefined {
    const { most, mostPerAddress } = this.#options
    if (this.#all >= most) return "port_full"
    const network = networkOf(address)
    const count = this.#counts.get(network) ?? 0
    if (count >= mostPerAddress) return "address_full"
    this.#counts.set(network, count + 1)
    this.#all++
    return undefined
  }

  /** One that entered is gone. */
  leave(address: string): void {
    const network = networkOf(address)
    const count = this.#counts.get(network) ?? 0
    this.#all--
    if (count > 1) this.#counts.set(network, count - 1)
    else this.#counts.delete(network)
  }
}
