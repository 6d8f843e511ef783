// Lines on their way into a file (or to standard output): gathered, written in large pieces off the hot path, and given up rather
// than gathered without bound. The file is opened anew once it has another name, so that logrotate needs no signal.
import { close, fstatSync, openSync, statSync, write } from "node:fs"
import { setTimeout as setTimeoutPromise } from "node:timers/promises"
import { systemCode } from "@restante/protocol"

export interface LineFileOptions {
  /** Undefined: standard output. */
  readonly path: string | undefined
  /** Once for every failure that follows a success. */
  onError(error: unknown): void
}

/** What waits is written when it is this large, or after this time. */
const pieceChars = 64 * 1024
const gatherMs = 200
/** More than this does not wait: the lines that come then are given up. */
const maxWaitingChars = 8 * 1024 * 1024
const standardOutput = 1
/** Who else may read it: the group, as logs usually. */
const fileMode = 0o640

export class LineFile {
  readonly #options: LineFileOptions
  #descriptor: number
  #waiting = ""
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

  /** `line` ends with a line feed. */
  append(line: string): void {
    if (this.#waiting.length + line.length > maxWaitingChars || this.#stopped) {
      this.dropped++
      return
    }
    this.#waiting += line
    if (this.#waiting.length >= pieceChars) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), gatherMs).unref()
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
    this.#stopped = true
    await this.#writing
    if (this.#waiting !== "") this.#flush()
    await this.#writing
    if (this.#descriptor !== standardOutput) close(this.#descriptor, () => {})
    this.#descriptor = standardOutput
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing !== undefined) return // what waits goes when that is done
    this.#followName()
    const piece = this.#waiting
    this.#waiting = ""
    this.#writing = this.#write(Buffer.from(piece, "latin1")).finally(() => {
      this.#writing = undefined
      if (this.#stopped || this.#waiting === "") return
      if (this.#waiting.length >= pieceChars) this.#flush()
      else this.#timer ??= setTimeout(() => this.#flush(), gatherMs).unref()
    })
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
          await setTimeoutPromise(gatherMs) // standard output may be a pipe that is full
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
