// The edge's certificates: read and checked at the start, chosen by the name that a client asks for (RFC 6066 section 3), and read
// again when their files change. A file that is broken by then leaves what there was.
import { X509Certificate, createPrivateKey } from "node:crypto"
import { createSecureContext } from "node:tls"
import type { SecureContext } from "node:tls"
import { CommandError, shown, systemReason } from "@restante/protocol"
import { readKeptFile } from "../../given-file.ts"
import type { Logger } from "pino"
import { fileStamp } from "../../state/owned-file.ts"
import { namesOf } from "./certificate-names.ts"

export interface CertificatePair {
  /** PEM: the server's certificate first, then those that lead to its authority. */
  readonly certificateFile: string
  /** PEM, without a password. */
  readonly keyFile: string
}

export interface CertificatesOptions {
  /** At least one. The first is for clients that name no server, or one that no certificate is for. */
  readonly pairs: readonly CertificatePair[]
  readonly log: Logger
  /** How often the files are looked at, in milliseconds. Default 2000. */
  readonly lookMs?: number | undefined
}

export class Certificates {
  readonly #options: CertificatesOptions
  #contexts: Contexts
  #stamp: string
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  private constructor(options: CertificatesOptions, contexts: Contexts, stamp: string) {
    this.#options = options
    this.#contexts = contexts
    this.#stamp = stamp
  }

  /** Raises `CommandError` for files that cannot be read, or are not a certificate and its key. */
  static async open(options: CertificatesOptions): Promise<Certificates> {
    const stamp = await stampOf(options.pairs)
    return new Certificates(options, await readPairs(options), stamp)
  }

  /** When the first of them that ends does, in epoch milliseconds. */
  get endsAt(): number {
    return this.#contexts.endsAt
  }

  /** For a client that asks for this server; undefined: it did not say for which. */
  for(servername: string | undefined): SecureContext {
    const { byName, first } = this.#contexts
    if (servername === undefined) return first
    const name = servername.toLowerCase()
    return byName.get(name) ?? byName.get(`*${name.slice(Math.max(0, name.indexOf(".")))}`) ?? first
  }

  /** Begins to look at the files. */
  start(): void {
    if (!this.#stopped) this.#arm()
  }

  /** Twice is fine. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #arm(): void {
    this.#timer = setTimeout(() => void this.#look(), this.#options.lookMs ?? defaultLookMs).unref()
  }

  /** Never rejects. What is broken is told once, until the files change again. */
  async #look(): Promise<void> {
    const { pairs, log } = this.#options
    try {
      const stamp = await stampOf(pairs)
      if (stamp !== this.#stamp) {
        this.#stamp = stamp
        this.#contexts = await readPairs(this.#options)
        log.info({ certificates: pairs.length }, "certificates read again")
      }
    } catch (error) {
      log.error(
        { reason: error instanceof CommandError ? error.message : systemReason(error) },
        "certificates kept as they were",
      )
    }
    this.start()
  }
}

const defaultLookMs = 2000
const soonMs = 7 * 24 * 3_600_000

/** It is over, or will be within a week. */
export function endsSoon(endsAt: number): boolean {
  return endsAt - Date.now() < soonMs
}

interface Contexts {
  readonly first: SecureContext
  /** Names in lower case, `*.example` among them. */
  readonly byName: ReadonlyMap<string, SecureContext>
  readonly endsAt: number
}

async function stampOf(pairs: readonly CertificatePair[]): Promise<string> {
  const files = pairs.flatMap(({ certificateFile, keyFile }) => [certificateFile, keyFile])
  const stamps = await Promise.all(files.map((path) => fileStamp(path).catch(() => "unreadable")))
  return stamps.join("|")
}

async function readPairs({ pairs, log }: CertificatesOptions): Promise<Contexts> {
  const byName = new Map<string, SecureContext>()
  let first: SecureContext | undefined
  let endsAt = Number.POSITIVE_INFINITY
  for (const pair of pairs) {
    const { context, certificate } = await readPair(pair)
    first ??= context
    for (const name of namesOf(certificate)) if (!byName.has(name)) byName.set(name, context)
    const validUntil = Date.parse(certificate.validTo)
    endsAt = Math.min(endsAt, validUntil)
    if (endsSoon(validUntil))
      log.warn(
        { file: pair.certificateFile, validTo: certificate.validTo },
        validUntil < Date.now() ? "certificate has expired" : "certificate expires soon",
      )
  }
  if (first === undefined)
    throw new CommandError("usage", "TLS needs a certificate: give --tls-cert and --tls-key.")
  return { first, byName, endsAt }
}

async function readPair({ certificateFile, keyFile }: CertificatePair): Promise<{
  readonly context: SecureContext
  readonly certificate: X509Certificate
}> {
  const cert = await readPem("--tls-cert", certificateFile)
  const key = await readPem("--tls-key", keyFile)
  const certificate = attempt(
    () => new X509Certificate(cert),
    () =>
      `--tls-cert: ${shown(certificateFile)} holds no certificate in PEM. Give the chain that your authority issued.`,
  )
  if (/-----BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED/.test(key))
    throw new CommandError(
      "startup",
      `--tls-key: the key in ${shown(keyFile)} is behind a password. Take it off, as in: openssl pkey -in FILE -out NEW.`,
    )
  const privateKey = attempt(
    () => createPrivateKey(key),
    () =>
      `--tls-key: ${shown(keyFile)} holds no private key in PEM. Give the key of ${shown(certificateFile)}.`,
  )
  if (!certificate.checkPrivateKey(privateKey))
    throw new CommandError(
      "startup",
      `--tls-key: ${shown(keyFile)} is not the key of the first certificate in ${shown(certificateFile)}. Give the two that belong together.`,
    )
  const context = attempt(
    () => createSecureContext({ cert, key, minVersion: "TLSv1.2" }),
    () =>
      `--tls-cert: ${shown(certificateFile)} cannot be used: a certificate in its chain is broken, or its key is too weak.`,
  )
  return { context, certificate }
}

async function readPem(option: string, path: string): Promise<string> {
  try {
    return await readKeptFile(path)
  } catch (error) {
    throw new CommandError("startup", `${option}: ${shown(path)} cannot be read: ${systemReason(error)}.`, {
      cause: error,
    })
  }
}

function attempt<T>(step: () => T, problem: () => string): T {
  try {
    return step()
  } catch (error) {
    throw new CommandError("startup", problem(), { cause: error })
  }
}
