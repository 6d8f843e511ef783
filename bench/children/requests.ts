// Small GETs over kept-alive connections, one at a time on each, straight on sockets: a client that costs as little as a
// client written in JavaScript can, so that the machine is left to what is measured.
import { connect, type Socket } from "node:net"
import { Count, type CountedJob, type CountedResult, patienceMs } from "./count.ts"

export interface RequestsJob extends CountedJob {
  readonly kind: "requests"
  readonly port: number
  readonly path: string
  readonly connections: number
}

/** Rejects when a connection breaks, when an answer is not 200, or when it does not say its length. */
export async function makeRequests(job: RequestsJob): Promise<CountedResult> {
  const count = new Count(job)
  const request = Buffer.from(
    `GET ${job.path} HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\nUser-Agent: restante-bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n`,
  )
  const signal = AbortSignal.timeout(job.warmupMs + job.measureMs + patienceMs)
  await Promise.all(Array.from({ length: job.connections }, () => ask(job.port, request, count, signal)))
  return count.result()
}

/** One connection, until the count says that it is enough. */
function ask(port: number, request: Buffer, count: Count, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const answer = new Answer()
    let sentAt = 0
    let done = false
    const send = (now: number): void => {
      sentAt = now
      socket.write(request)
    }
    const onRead = (bytes: number): boolean => {
      try {
        if (!answer.add(sharedReads.subarray(0, bytes))) return true
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined)
        return false
      }
      const now = performance.now()
      if (count.add(sentAt, now)) send(now)
      else {
        done = true
        socket.end()
      }
      return true
    }
    const onread = { buffer: sharedReads, callback: onRead }
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true, onread, signal }, () =>
      send(performance.now()),
    )
    socket.on("error", reject)
    socket.on("close", () =>
      done ? resolve() : reject(new Error("the connection was closed before the answer was whole")),
    )
  })
}

/** Reads are synchronous: one buffer does for all connections. */
const sharedReads = Buffer.alloc(64 * 1024)

/** Finds the ends of the answers on one connection. Nearly all are the same bytes as the one before, which is the quickest test. */
class Answer {
  #last = Buffer.alloc(0)
  #pieces: Buffer[] = []
  #bytes = 0
  #wanted = -1

  /** Whether the answer is whole now. */
  add(bytes: Buffer): boolean {
    if (this.#bytes === 0 && bytes.equals(this.#last)) return true
    this.#pieces.push(Buffer.from(bytes))
    this.#bytes += bytes.length
    if (this.#wanted < 0) this.#wanted = wholeLength(Buffer.concat(this.#pieces))
    if (this.#wanted < 0 || this.#bytes < this.#wanted) return false
    if (this.#bytes > this.#wanted) throw new Error("more came than was asked for")
    this.#last = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    this.#wanted = -1
    return true
  }
}

/** Of head and body together; -1 while the head is not whole. */
function wholeLength(bytes: Buffer): number {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0) return -1
  const head = bytes.toString("latin1", 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (!head.startsWith("HTTP/1.1 200 ") || length === undefined) throw new Error(`the answer was: ${head}`)
  return end + 4 + Number(length)
}
