// Reads a file of certificate authorities and makes sure that it holds some, so that a wrong file is noticed at start.
import { X509Certificate } from "node:crypto"
import { CommandError, shown, systemReason } from "@restante/protocol"
import { readGivenFile } from "./given-file.ts"

/** The file's PEM text. Raises `CommandError("startup")` when it cannot be read or a certificate in it is broken. `option` is named in the refusal. */
export async function readCaFile(path: string, option: string): Promise<string> {
  const pem = await readGivenFile(path).catch((error: unknown) => {
    throw new CommandError("startup", `${option}: cannot read ${shown(path)}, ${systemReason(error)}.`, {
      cause: error,
    })
  })
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw new CommandError(
      "startup",
      `${option}: ${shown(path)} holds no valid certificates. It wants PEM, beginning with -----BEGIN CERTIFICATE-----.`,
    )
  }
  return pem
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}
