// One large body over one connection, down or up, straight on a socket and timed from the first byte of the request to the
// last of the answer.
import { connect, type Socket } from "node:net"

export interface TransferJob {
  readonly kind: "download" | "upload"
  readonly port: number
  readonly path: string
  /** Of the body. */
  readonly bytes: number
}

export interface TransferResult {
  readonly elapsedMs: number
}

/** Rejects when the connection breaks, the answer is not 200, or the number of bytes is another. */
export function transfer(job: TransferJob): Promise<TransferResult> {
  return new Promise((resolve, reject) => {
    const answer = new LargeAnswer(job.kind === "download" ? job.bytes : undefined)
    let beganAt = 0
    const onRead = (count: number): boolean => {
      try {
        if (!answer.add(sharedReads.subarray(0, count))) return true
        resolve({ elapsedMs: performance.now() - beganAt })
        socket.destroy()
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined)
      }
      return false
    }
    const onread = { buffer: sharedReads, callback: onRead }
    const signal = AbortSignal.timeout(patienceMs)
    const place = { port: job.port, host: "127.0.0.1", noDelay: true }
    const socket: Socket = connect({ ...place, onread, signal }, () => {
      beganAt = performance.now()
      if (job.kind === "download")
        socket.write(`GET ${job.path} HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\n\r\n`)
      else send(socket, job)
    })
    socket.on("error", reject)
    socket.on("close", () => reject(new Error("the connection was closed before the answer was whole")))
  })
}

/** A transfer that takes longer has come to a stop. */
const patienceMs = 120_000
const sharedReads = Buffer.alloc(1024 * 1024)
const sharedWrites = Buffer.alloc(1024 * 1024, "restante")
/** Enough on its way that the system never waits for us. */
const aheadBytes = 4 * 1024 * 1024

function send(socket: Socket, { port, path, bytes }: TransferJob): void {
  socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${bytes}\r\n\r\n`)
  let left = bytes
  const more = (): void => {
    while (left > 0 && socket.writableLength < aheadBytes) {
      const piece = left < sharedWrites.length ? sharedWrites.subarray(0, left) : sharedWrites
      left -= piece.length
      socket.write(piece, more)
    }
  }
  more()
}

/** Counts an answer's bytes without keeping its body. */
class LargeAnswer {
  readonly #expectedBytes: number | undefined
  #head = ""
  #leftBytes = -1

  constructor(expectedBytes: number | undefined) {
    this.#expectedBytes = expectedBytes
  }

  /** Whether the answer is whole now. */
  add(bytes: Buffer): boolean {
    if (this.#leftBytes < 0) {
      const before = this.#head.length
      this.#head += bytes.toString("latin1")
      const end = this.#head.indexOf("\r\n\r\n")
      if (end < 0) return false
      this.#leftBytes = this.#contentLength(this.#head.slice(0, end)) - (before + bytes.length - end - 4)
    } else this.#leftBytes -= bytes.length
    if (this.#leftBytes < 0) throw new Error("more came than was asked for")
    return this.#leftBytes === 0
  }

  #contentLength(head: string): number {
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
    if (!head.startsWith("HTTP/1.1 200 ") || length !== (this.#expectedBytes ?? length))
      throw new Error(`the answer was: ${head}`)
    return length
  }
}
