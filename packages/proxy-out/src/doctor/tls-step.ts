// The step that looks at the certificates: whether they can be used, and for how long.
import { CommandError, type Report } from "@restante/protocol"
import { endsSoon } from "../ingress/tls/certificates.ts"
import type { DoctorOptions } from "./doctor.ts"
import type { EdgeFindingCode } from "./findings.ts"

export async function tlsStep({
  openCertificates,
}: Pick<DoctorOptions, "openCertificates">): Promise<Report<EdgeFindingCode>> {
  try {
    const certificates = await openCertificates()
    if (certificates === undefined) return { code: "tls_none" }
    const { endsAt } = certificates
    const detail = `valid until ${new Date(endsAt).toISOString().slice(0, "2026-01-31".length)}`
    return { code: endsSoon(endsAt) ? "tls_ending" : "tls_ready", detail }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { code: "tls_unusable", detail: error.message.replace(/\.$/, "") }
  }
}
