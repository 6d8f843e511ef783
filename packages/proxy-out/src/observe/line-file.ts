// Lines on their way into a file (or to standard output): gathered as bytes, written in large pieces off the hot path, and given up rather
// than gathered without bound. The file is opened anew once it has another name, so that logrotate needs no signal.
import { close, fstatSync, openSync, statSync, write } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { systemCode } from "@restante/protocol"

export interface LineFileOptions {
  /** Undefined: standard output. */
  readonly path: string | undefined
  /** Once for every failure that follows a success. */
  onError(error: unknown): void
}

/** Lines are put together in pieces of this size: as strings they would live long enough to cost the collector more than all the rest. */
const pieceBytes = 256 * 1024
/** What waits is written after this time at the latest. */
const gatherMs = 200
/** More full pieces than these do not wait: the lines that come then are given up. */
const maxFullPieces = 32
const standardOutput = 1
/** Who else may read it: the group, as logs usually. */
const fileMode = 0o640

export class LineFile {
  readonly #options: LineFileOptions
  #descriptor: number
  #piece = Buffer.allocUnsafeSlow(pieceBytes)
  #used = 0
  /** Those that wait for the one that is being written. */
  readonly #full: Buffer<ArrayBuffer>[] = []
  /** Written pieces, to be filled again. */
  #spare: Buffer<ArrayBuffer> | undefined
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #failed = false
  #stopped = false
  /** Lines that were given up. */
  dropped = 0

  /** Throws the system's error when the file cannot be opened. */
  constructor(options: LineFileOptions) {
    this.#options = options
    this.#descriptor = options.path === undefined ? standardOutput : openSync(options.path, "a", fileMode)
  }

  /** `line`: ASCII, with a line feed at its end, and shorter than a piece. */
  append(line: string): void {
    if (this.#used + line.length > pieceBytes && !this.#nextPiece()) {
      this.dropped++
      return
    }
    if (this.#stopped || line.length > pieceBytes) {
      this.dropped++
      return
    }
    this.#used += this.#piece.write(line, this.#used, "latin1")
    this.#timer ??= setTimeout(this.#timeIsUp, gatherMs).unref()
  }

  /** Opens the file anew, wherever its name leads now. */
  reopen(): void {
    const { path } = this.#options
    if (path === undefined) return
    try {
      const opened = openSync(path, "a", fileMode)
      close(this.#descriptor, () => {})
      this.#descriptor = opened
    } catch (error) {
      this.#options.onError(error)
    }
  }

  /** Writes what waits. Twice is fine. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#timeIsUp()
    await this.#writing
    this.#timeIsUp() // too much waited for this piece to be taken before
    await this.#writing
    if (this.#descriptor !== standardOutput) close(this.#descriptor, () => {})
    this.#descriptor = standardOutput
  }

  readonly #timeIsUp = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#used > 0) this.#nextPiece()
  }

  /** False when too much waits. */
  #nextPiece(): boolean {
    if (this.#full.length >= maxFullPieces) return false
    this.#full.push(this.#piece.subarray(0, this.#used))
    this.#piece = this.#spare ?? Buffer.allocUnsafeSlow(pieceBytes)
    this.#spare = undefined
    this.#used = 0
    this.#writing ??= this.#writeFull().finally(() => (this.#writing = undefined))
    return true
  }

  async #writeFull(): Promise<void> {
    for (let piece = this.#full[0]; piece !== undefined; piece = this.#full[0]) {
      this.#followName()
      await this.#write(piece)
      this.#full.shift()
      this.#spare = Buffer.from(piece.buffer)
    }
  }

  /** Once a piece: logrotate has renamed or removed the file, so lines belong into a new one. */
  #followName(): void {
    const { path } = this.#options
    if (path === undefined) return
    try {
      const named = statSync(path)
      const open = fstatSync(this.#descriptor)
      if (named.ino === open.ino && named.dev === open.dev) return
    } catch {
      // It has no name any more.
    }
    this.reopen()
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      try {
        at += await written(this.#descriptor, bytes, at)
        this.#failed = false
      } catch (error) {
        if (systemCode(error) === "EAGAIN" && !this.#stopped) {
          await sleep(gatherMs) // standard output may be a pipe that is full
          continue
        }
        this.dropped += linesIn(bytes, at)
        if (!this.#failed) this.#options.onError(error)
        this.#failed = true
        return
      }
    }
  }
}

function written(descriptor: number, bytes: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, at, bytes.length - at, null, (error, count) =>
      error === null ? resolve(count) : reject(error),
    )
  })
}

function linesIn(bytes: Buffer, from: number): number {
  let lines = 0
  for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, at + 1)) lines++
  return lines
}
