// The operator's own error page: a file that is read and checked at the start, and again when it has changed.
import { CommandError, systemReason } from "@restante/protocol"
import { readFile, stat } from "node:fs/promises"
import type { Logger } from "pino"
import { templatePage } from "./error-page.ts"
import type { ErrorPage, PageFacts } from "./error-page.ts"

/** A page is made for people: more is a mistake. */
const maxTemplateBytes = 64 * 1024
/** How often it is looked at, and only while there are errors to show. */
const lookMs = 1000

export interface PageFileOptions {
  readonly path: string
  readonly log: Logger
  /** Milliseconds. */
  readonly now: () => number
}

export class PageFile implements ErrorPage {
  readonly policy = undefined
  readonly #options: PageFileOptions
  #page: ErrorPage
  /** Time of change and size of what was read last, good or not. */
  #version: string
  #lookedAt: number
  #looking = false

  private constructor(options: PageFileOptions, page: ErrorPage, version: string) {
    this.#options = options
    this.#page = page
    this.#version = version
    this.#lookedAt = options.now()
  }

  /** Raises `CommandError` when the file cannot be read or is not a page. */
  static async open(options: PageFileOptions): Promise<PageFile> {
    const { page, version } = await readPage(options.path)
    return new PageFile(options, page, version)
  }

  /** With the page as it was read last. A change is seen after this, so the next error has it. */
  render(facts: PageFacts): string {
    const now = this.#options.now()
    if (!this.#looking && now - this.#lookedAt >= lookMs) {
      this.#lookedAt = now
      void this.#look()
    }
    return this.#page.render(facts)
  }

  /** Never rejects: a file that is broken or gone leaves the page as it was, and is told once. */
  async #look(): Promise<void> {
    const { path, log } = this.#options
    this.#looking = true
    try {
      const version = await versionOf(path)
      if (version === this.#version) return
      this.#version = version
      this.#page = (await readPage(path)).page
      log.info({ path }, "error page read again")
    } catch (error) {
      const reason = error instanceof CommandError ? error.message : systemReason(error)
      if (this.#version !== gone) log.error({ path, reason }, "error page kept as it was")
      if (!(error instanceof CommandError)) this.#version = gone
    } finally {
      this.#looking = false
    }
  }
}

const gone = "gone"

async function versionOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path)
  return `${mtimeMs} ${size}`
}

async function readPage(path: string): Promise<{ readonly page: ErrorPage; readonly version: string }> {
  let version: string
  let bytes: Buffer
  try {
    const { isFile, size } = await stat(path).then((found) => ({ isFile: found.isFile(), size: found.size }))
    if (!isFile) throw new CommandError("usage", `--error-page: ${path} is not a file.`)
    if (size > maxTemplateBytes)
      throw new CommandError("usage", `--error-page: ${path} is larger than 64 KiB. Make it smaller.`)
    version = await versionOf(path)
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError("startup", `--error-page: ${path} cannot be read: ${systemReason(error)}.`, {
      cause: error,
    })
  }
  try {
    return { page: templatePage(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), version }
  } catch (error) {
    const reason = error instanceof CommandError ? error.message : "It is not UTF-8."
    throw new CommandError("usage", `--error-page: ${path}: ${reason}`, { cause: error })
  }
}
