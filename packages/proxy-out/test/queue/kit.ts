// What the queue's tests are made of: tickets, a consumer that writes down what it was given, and a wait that ends as soon
// as its condition holds.
import { openKind } from "@restante/protocol"
import type { Consumer, LeaseOutcome, Ticket } from "../../src/queue/broker.ts"
import type { Log } from "../../src/queue/redis-link.ts"

export function ticket(id: string, fields: Partial<Ticket> = {}): Ticket {
  return {
    id,
    kind: openKind.http,
    tunnel: "default",
    owner: "edge-a",
    attempt: 1,
    deadlineAt: Date.now() + 30_000,
    idempotent: true,
    record: { clientAddress: "203.0.113.7", scheme: "http" },
    head: `GET /${id} HTTP/1.1\r\nHost: example.com\r\n\r\n`,
    bodyFollows: false,
    body: undefined,
    ...fields,
  }
}

export function tickets(count: number, fields: Partial<Ticket> = {}): Ticket[] {
  return Array.from({ length: count }, (_, index) => ticket(`t${index}`, fields))
}

export class RecordingConsumer implements Consumer {
  readonly leased: Ticket[] = []
  /** What `lease` answers for a ticket instead of taking it. */
  readonly answers = new Map<string, LeaseOutcome>()
  /** Called while a ticket is being leased. */
  onLease: (ticket: Ticket) => void = () => undefined
  #room: number

  constructor(room: number) {
    this.#room = room
  }

  get ids(): string[] {
    return this.leased.map(({ id }) => id)
  }

  addRoom(count: number): void {
    this.#room += count
  }

  room(): number {
    return this.#room
  }

  lease(offered: Ticket): LeaseOutcome {
    const answer = this.answers.get(offered.id)
    if (answer) return answer
    this.#room--
    this.leased.push(offered)
    this.onLease(offered)
    return "taken"
  }
}

/** Fails with what the condition was about when it does not come true in time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs
  // oxlint-disable no-await-in-loop -- that is what waiting is
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await pause(5)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export interface LogEntry {
  readonly level: keyof Log
  readonly fields: unknown
  readonly event: string
}

/** A logger that keeps what it is told. */
export function recordingLog(): { log: Log; entries: LogEntry[] } {
  const entries: LogEntry[] = []
  const record =
    (level: keyof Log) =>
    (fields: unknown, event?: string): void => {
      entries.push({ level, fields, event: event ?? String(fields) })
    }
  const log = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") }
  return { log, entries }
}

export const allOctets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet))
