// Exchanges whose client is at one edge and whose agent is at another. The edge that leases a ticket asks its owner for
// leave first (so nothing is run twice, whatever the queue believes), and then both pass each other the frames.
import { readFrames } from "@restante/protocol"
import type { Leasable } from "../exchange/agent-stream.ts"
import type { Ticket } from "../queue/broker.ts"
import { LesseeSide } from "./lessee-side.ts"
import { fromLessee, fromOwner, Outbox } from "./outbox.ts"
import { OwnerSide } from "./owner-side.ts"

/** Bytes between edges: in order, or the peer is reported lost. */
export interface EdgeRelay {
  post(edgeId: string, payload: Buffer): void
}

export interface RelayedExchangesOptions {
  readonly relay: EdgeRelay
  /** An exchange of this edge that waits for an agent. */
  readonly find: (exchangeId: string) => Leasable | undefined
}

export class RelayedExchanges {
  readonly #options: RelayedExchangesOptions
  readonly #peers = new Map<string, Peer>()

  constructor(options: RelayedExchangesOptions) {
    this.#options = options
  }

  /** Asks the ticket's owner whether it may be served here. `onGranted` gets what a session can open; otherwise `onRefused`. */
  claim(ticket: Ticket, onGranted: (leasable: Leasable) => void, onRefused: () => void): void {
    this.#peer(ticket.owner).claim(ticket, onGranted, onRefused)
  }

  /** Throws WireError for frames that are not valid: the relay then reports the peer lost, at both ends. */
  receive(from: string, payload: Buffer): void {
    const peer = this.#peer(from)
    if (payload[0] === fromLessee) readFrames(payload, peer.asOwner, 1)
    else readFrames(payload, peer.asLessee, 1)
  }

  /** What the peer said may have a gap, or it is gone: everything shared with it ends. */
  lost(edgeId: string): void {
    const peer = this.#peers.get(edgeId)
    this.#peers.delete(edgeId)
    peer?.lost()
  }

  #peer(edgeId: string): Peer {
    let peer = this.#peers.get(edgeId)
    if (peer === undefined) {
      const { relay, find } = this.#options
      peer = new Peer((payload) => relay.post(edgeId, payload), find)
      this.#peers.set(edgeId, peer)
    }
    return peer
  }
}

/** Everything shared with one other edge. */
class Peer {
  readonly asOwner: OwnerSide
  readonly asLessee: LesseeSide

  constructor(post: (payload: Buffer) => void, find: (exchangeId: string) => Leasable | undefined) {
    this.asOwner = new OwnerSide(new Outbox(fromOwner, post), find)
    this.asLessee = new LesseeSide(new Outbox(fromLessee, post))
  }

  claim(ticket: Ticket, onGranted: (leasable: Leasable) => void, onRefused: () => void): void {
    this.asLessee.claim(ticket, onGranted, onRefused)
  }

  lost(): void {
    this.asOwner.lost()
    this.asLessee.lost()
  }
}
