// The agent's credit for what goes to one client: given back as the client takes it, so that a slow reader slows the upstream.
import { ReceiveCredit, wireLimits } from "@restante/protocol"
import type { WindowBudget } from "@restante/protocol"
import type { Client } from "./client.ts"

/** A client that reads slower than this many bytes behind is waited for: no credit until it has caught up. */
const maxUnsentBytes = 256 * 1024

export class ClientCredit {
  readonly #client: Pick<Client, "unsentBytes">
  readonly #credit: ReceiveCredit
  #untakenBytes = 0

  constructor(client: Pick<Client, "unsentBytes">, budget: WindowBudget) {
    this.#client = client
    this.#credit = new ReceiveCredit(wireLimits.initialWindowBytes, wireLimits.maxWindowBytes, budget)
  }

  /** DATA came, and is with the client's connection when `drained` is called. Throws WireError when the agent had no credit for it. */
  received(bytes: number): void {
    this.#credit.received(bytes)
    this.#untakenBytes += bytes
  }

  /** Credit to give back now because the client has read on. */
  drained(): number {
    if (this.#untakenBytes === 0 || this.#client.unsentBytes > maxUnsentBytes) return 0
    const consumed = this.#untakenBytes
    this.#untakenBytes = 0
    return this.#credit.consumed(consumed)
  }

  /** Gives the window's growth back to the budget that all clients share. Twice is fine. */
  release(): void {
    this.#credit.release()
  }
}
