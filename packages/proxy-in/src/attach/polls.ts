// Messages down as long polls. Two overlap, so that one always waits at the edge while the other is on its way; where
// the path proves that it streams, a single one whose answer goes on takes their place.
import type { CarrierPort } from "./carrier.ts"
import type { EdgeClient } from "./edge-client.ts"
import type { MessageRequest } from "./message-request.ts"
import { LinkError } from "./link-error.ts"

export interface PollsOptions {
  readonly client: EdgeClient
  readonly port: CarrierPort
  /** The edge ends a poll after this long. */
  readonly pollMs: number
  /** Wait before a failed poll is repeated, in milliseconds. */
  readonly retryMs: () => number
  readonly onStreaming: (streaming: boolean) => void
}

const overlapping = 2
/** A path that does not show a streamed answer's first message within this time holds answers back. */
const probeMs = 3000
/** A streamed answer is replaced by a new one this often: endless ones make middleboxes nervous. */
const renewMs = 240_000
/** How much longer than the edge promised a poll may take. */
const graceMs = 10_000
/** Where streaming did not show, it is tried again after this long, and each time after twice as long, up to the most. */
const probeAgainMs = { first: 30_000, most: 600_000 }
/** An edge that lives answers a PING every 10 s: a streamed answer that brings nothing for this long is replaced by a new one. */
const quietMs = 25_000

export class Polls {
  readonly #options: PollsOptions
  readonly #running = new Set<MessageRequest>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #streamed: MessageRequest | undefined
  #streaming = false
  #stopped = false
  #resting = false
  #polling = 0
  #probeAgainMs = probeAgainMs.first

  constructor(options: PollsOptions) {
    this.#options = options
  }

  get streaming(): boolean {
    return this.#streaming
  }

  /** `resting`: only the streamed poll, as a second way down beside something better. */
  start(resting = false): void {
    this.#resting = resting
    this.#fill()
    this.#probe()
  }

  /**
   * A websocket carries what is small: no short polls any more. Those that run end by themselves: one that is broken
   * off may have a message under way.
   */
  rest(): void {
    this.#resting = true
  }

  /** The websocket is gone: polls carry everything again. */
  wake(): void {
    this.#resting = false
    this.#fill()
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const request of this.#running) request.abort()
    this.#running.clear()
    this.#streamed?.abort()
    this.#streamed = undefined
  }

  #fill(): void {
    while (!this.#stopped && !this.#streaming && !this.#resting && this.#polling < overlapping) this.#poll()
  }

  #poll(): void {
    const { client, port, pollMs, retryMs } = this.#options
    this.#polling++
    const over = (error: LinkError | undefined): void => {
      this.#forget(deadline)
      this.#running.delete(request)
      if (error === undefined) {
        port.alive()
        this.#polling--
        this.#fill()
        return
      }
      port.failed(error)
      this.#after(retryMs(), () => {
        this.#polling--
        this.#fill()
      })
    }
    const request = client.poll(port.session, port.acknowledgement(), false, {
      onMessage: (message) => port.receive(message),
      onEnd: (error) => {
        if (error !== undefined) port.lost(0)
        over(error)
      },
    })
    const deadline = this.#after(pollMs + graceMs, () => {
      if (!this.#running.has(request)) return
      request.abort()
      port.lost(0)
      over(new LinkError("timeout", "poll"))
    })
    this.#running.add(request)
  }

  /** Opens a streamed poll. It is the way down from its first message on; what comes late says that the path buffers. */
  #probe(): void {
    if (this.#stopped) return
    const { client, port, retryMs } = this.#options
    const before = this.#streamed
    let proven = false
    const giveUp = this.#after(probeMs, () => {
      request.abort()
      before?.abort()
      if (this.#streamed === request) this.#streamed = undefined
      this.#fallBack(this.#nextProbeMs())
    })
    let quiet: NodeJS.Timeout | undefined
    const request = client.poll(port.session, port.acknowledgement(), true, {
      onMessage: (message) => {
        if (!proven) {
          proven = true
          this.#forget(giveUp)
          quiet = this.#after(quietMs, () => {
            if (this.#streamed === request && !this.#resting) this.#probe()
          })
          this.#proven(request, before)
          port.alive()
        }
        quiet?.refresh()
        port.receive(message)
      },
      onEnd: (error) => {
        this.#forget(giveUp)
        if (quiet !== undefined) this.#forget(quiet)
        if (this.#streamed !== request) return
        this.#streamed = undefined
        if (!proven) before?.abort()
        if (error !== undefined) {
          port.lost(0)
          if (proven || !error.isAnswer) port.failed(error)
        }
        // An answer that came whole and late says that the path holds answers back, one that refuses that it does not stream.
        if (!proven && (error === undefined || error.isAnswer)) this.#fallBack(this.#nextProbeMs())
        else this.#fallBack(error === undefined ? 0 : retryMs())
      },
    })
    this.#streamed = request
  }

  #nextProbeMs(): number {
    const againMs = this.#probeAgainMs
    this.#probeAgainMs = Math.min(againMs * 2, probeAgainMs.most)
    return againMs
  }

  #proven(request: MessageRequest, before: MessageRequest | undefined): void {
    this.#probeAgainMs = probeAgainMs.first
    if (!this.#streaming) {
      this.#streaming = true
      this.#options.onStreaming(true)
    }
    // The edge ends the one before by itself; one that it has lost sight of is given up.
    if (before !== undefined) this.#after(probeMs, () => before.abort())
    this.#after(renewMs, () => {
      if (this.#streamed === request) this.#probe()
    })
  }

  /** Back to short polls; streaming is tried again after a while. */
  #fallBack(againMs: number): void {
    if (this.#stopped) return
    if (this.#streaming) {
      this.#streaming = false
      this.#options.onStreaming(false)
    }
    this.#fill()
    this.#after(againMs, () => this.#probe())
  }

  #after(delayMs: number, step: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      step()
    }, delayMs)
    this.#timers.add(timer)
    return timer
  }

  #forget(timer: NodeJS.Timeout): void {
    clearTimeout(timer)
    this.#timers.delete(timer)
  }
}
