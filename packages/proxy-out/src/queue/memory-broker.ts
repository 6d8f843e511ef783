// The broker of an edge that stands alone: tickets wait in this process and are handed over in the same tick when
// somebody has room.
import type { Broker, BrokerHealth, Consumer, Subscription, Ticket } from "./broker.ts"
import { Consumers } from "./consumers.ts"
import { TicketList } from "./ticket-list.ts"

export class MemoryBroker implements Broker {
  readonly health: BrokerHealth = { state: "ready" }
  readonly #tunnels = new Map<string, Tunnel>()
  #depth = 0
  #stopped = false

  start(): Promise<void> {
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#stopped = true
    for (const tunnel of this.#tunnels.values()) tunnel.waiting.clear()
    this.#tunnels.clear()
    this.#depth = 0
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  offer(ticket: Ticket): void {
    if (this.#stopped) return
    const tunnel = this.#tunnel(ticket.tunnel)
    if (tunnel.waiting.size === 0 && tunnel.consumers.lease(ticket) !== "no_room") {
      this.#forgetIfEmpty(ticket.tunnel, tunnel)
      return
    }
    this.#depth += tunnel.waiting.has(ticket.id) ? 0 : 1
    tunnel.waiting.push(ticket)
    this.#deal(ticket.tunnel, tunnel)
  }

  reoffer(ticket: Ticket): void {
    if (this.#stopped) return
    const tunnel = this.#tunnel(ticket.tunnel)
    this.#depth += tunnel.waiting.has(ticket.id) ? 0 : 1
    tunnel.waiting.unshift(ticket)
    this.#deal(ticket.tunnel, tunnel)
  }

  withdraw(ticket: Ticket): void {
    const tunnel = this.#tunnels.get(ticket.tunnel)
    if (!tunnel?.waiting.delete(ticket.id)) return
    this.#depth--
    this.#forgetIfEmpty(ticket.tunnel, tunnel)
  }

  subscribe(name: string, consumer: Consumer): Subscription {
    const tunnel = this.#tunnel(name)
    let open = !this.#stopped
    if (open) tunnel.consumers.add(consumer)
    const ready = (): void => {
      if (open && tunnel.waiting.size > 0) this.#deal(name, tunnel)
    }
    const close = (): void => {
      if (!open) return
      open = false
      tunnel.consumers.delete(consumer)
      this.#forgetIfEmpty(name, tunnel)
    }
    ready()
    return { ready, close }
  }

  depth(name?: string): number {
    return name === undefined ? this.#depth : (this.#tunnels.get(name)?.waiting.size ?? 0)
  }

  #deal(name: string, tunnel: Tunnel): void {
    // A lease may end an exchange at once and so call ready() or reoffer() from within: the loop below sees its effect.
    if (tunnel.dealing) return
    tunnel.dealing = true
    try {
      for (
        let ticket = tunnel.waiting.first;
        ticket && tunnel.consumers.hasRoom();
        ticket = tunnel.waiting.first
      ) {
        // Out of the list while it is leased, so that a reoffer from within puts it back instead of losing it.
        tunnel.waiting.delete(ticket.id)
        this.#depth--
        if (tunnel.consumers.lease(ticket) === "no_room") {
          this.#depth++
          tunnel.waiting.unshift(ticket)
          break
        }
      }
    } finally {
      tunnel.dealing = false
    }
    this.#forgetIfEmpty(name, tunnel)
  }

  #tunnel(name: string): Tunnel {
    let tunnel = this.#tunnels.get(name)
    if (!tunnel) {
      tunnel = { consumers: new Consumers(), waiting: new TicketList(), dealing: false }
      this.#tunnels.set(name, tunnel)
    }
    return tunnel
  }

  #forgetIfEmpty(name: string, tunnel: Tunnel): void {
    if (tunnel.consumers.size > 0 || tunnel.waiting.size > 0 || tunnel.dealing) return
    if (this.#tunnels.get(name) === tunnel) this.#tunnels.delete(name)
  }
}

interface Tunnel {
  readonly consumers: Consumers
  readonly waiting: TicketList
  /** Tickets are being dealt further up the stack. */
  dealing: boolean
}
