// The servers that a certificate is for.
import type { X509Certificate } from "node:crypto"

/** DNS names of its subjectAltName in lower case, `*.example` for a wildcard. Without that field there are none (RFC 9525 section 2). */
export function namesOf({ subjectAltName }: Pick<X509Certificate, "subjectAltName">): readonly string[] {
  const names: string[] = []
  for (const [, quoted, plain] of (subjectAltName ?? "").matchAll(altName)) {
    const name = quoted === undefined ? plain : unquoted(quoted)
    if (name !== undefined) names.push(name.toLowerCase())
  }
  return names
}

/** Node quotes, as JSON, a name that could be taken for two. */
const altName = /(?:^|, )DNS:(?:("(?:[^"\\]|\\.)*")|([^,"]+))/g

function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "string" ? value : undefined
  } catch {
    return undefined
  }
}
