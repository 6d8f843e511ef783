// Reads the certificate and key that we show to an edge that asks who we are, and makes sure that they fit, so that a wrong
// file is noticed at start.
import { createPrivateKey, X509Certificate } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { CommandError, Secret, shown, systemReason } from "@restante/protocol"
import { readGivenFile } from "../given-file.ts"

export interface ClientIdentity {
  /** PEM: our certificate, then those between it and the authority, if any. */
  readonly certificate: string
  /** PEM. */
  readonly key: Secret
}

export interface IdentityFiles {
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Undefined when neither is given. Raises `CommandError`. */
export async function readClientIdentity(files: IdentityFiles): Promise<ClientIdentity | undefined> {
  if (files.certificate === undefined && files.key === undefined) return undefined
  if (files.certificate === undefined || files.key === undefined) {
    const missing = files.key === undefined ? "--external-key-file" : "--external-cert-file"
    throw new CommandError("usage", `${missing} is missing: a certificate and its key belong together.`)
  }
  const certificate = await readPem(files.certificate, "--external-cert-file")
  const keyText = await readPem(files.key, "--external-key-file")
  const parsed = parseCertificate(certificate, files.certificate)
  if (!parsed.checkPrivateKey(parseKey(keyText, files.key))) {
    throw new CommandError(
      "startup",
      "The key in --external-key-file does not belong to the first certificate in --external-cert-file. Take the one that it was made with.",
    )
  }
  return { certificate, key: new Secret(keyText) }
}

async function readPem(path: string, option: string): Promise<string> {
  return readGivenFile(path).catch((error: unknown) => {
    throw new CommandError("startup", `${option}: cannot read ${shown(path)}, ${systemReason(error)}.`, {
      cause: error,
    })
  })
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    const key = pem.includes("PRIVATE KEY-----")
    const remedy = key
      ? "It holds a key; that belongs to --external-key-file."
      : "It wants PEM, beginning with -----BEGIN CERTIFICATE-----."
    throw new CommandError(
      "startup",
      `--external-cert-file: ${shown(path)} holds no valid certificate. ${remedy}`,
      { cause: error },
    )
  }
}

function parseKey(pem: string, path: string): KeyObject {
  const problem = keyProblem(pem)
  try {
    if (problem === undefined) return createPrivateKey(pem)
  } catch {
    // OpenSSL's words say nothing to a person, and might repeat the key.
  }
  throw new CommandError(
    "startup",
    `--external-key-file: ${shown(path)} ${problem ?? "holds no valid private key. It wants PEM, beginning with -----BEGIN PRIVATE KEY-----."}`,
  )
}

function keyProblem(pem: string): string | undefined {
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem))
    return "is encrypted. Write a copy without password (openssl pkey -in KEY -out PLAIN) that only you can read."
  return pem.includes("BEGIN CERTIFICATE") && !pem.includes("PRIVATE KEY-----")
    ? "holds a certificate; that belongs to --external-cert-file."
    : undefined
}
