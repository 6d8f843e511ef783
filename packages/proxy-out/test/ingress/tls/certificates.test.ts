// The edge's certificates: what is refused at the start, which one a client gets, and what becomes of changed files.
import { execFileSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import {
  encryptedClientKey,
  expiredCertificate,
  otherCertificate,
  otherKey,
  serverCertificate,
  serverKey,
} from "../../../../../test/support/certificates.ts"
import { until } from "../../../../../test/support/until.ts"
import { namesOf } from "../../../src/ingress/tls/certificate-names.ts"
import { Certificates } from "../../../src/ingress/tls/certificates.ts"
import { quietLog, recordedLog } from "../../support/log.ts"

test.each([
  ["a file that is not there", undefined, serverKey, /--tls-cert: .* cannot be read: there is no such file/],
  ["a file that is no certificate", serverKey, serverKey, /--tls-cert: .* holds no certificate in PEM/],
  ["a key that is none", serverCertificate, serverCertificate, /--tls-key: .* holds no private key in PEM/],
  ["a key behind a password", serverCertificate, encryptedClientKey, /behind a password. Take it off/],
  [
    "another certificate's key",
    serverCertificate,
    otherKey,
    /--tls-key: .* is not the key of the first certificate/,
  ],
])("%s is one line at the start that says what to do", async (_what, cert, key, line) => {
  const pair = await filesOf(cert, key)
  const opening = Certificates.open({ pairs: [pair], log: quietLog })
  await expect(opening).rejects.toMatchObject({ name: "CommandError", message: expect.stringMatching(line) })
  await expect(opening).rejects.not.toMatchObject({ message: expect.stringMatching(/\n|PRIVATE/) })
})

test("a certificate or key that is a pipe is refused in one line, as it is looked at again later", async () => {
  const pair = await filesOf(serverCertificate, serverKey)
  for (const [file, option] of [
    ["certificateFile", "--tls-cert"],
    ["keyFile", "--tls-key"],
  ] as const) {
    const pipe = `${pair[file]}.pipe`
    execFileSync("mkfifo", [pipe])
    const opening = Certificates.open({ pairs: [{ ...pair, [file]: pipe }], log: quietLog })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(opening).rejects.toThrow(
      `${option}: ${JSON.stringify(pipe)} cannot be read: it is no regular file.`,
    )
  }
})

test("a certificate that has expired is used, with a warning", async () => {
  const { log, lines } = recordedLog()
  await Certificates.open({ pairs: [await filesOf(expiredCertificate, serverKey)], log })
  expect(lines.map(({ msg }) => msg)).toEqual(["certificate has expired"])
})

test("of several certificates a client gets the one for the name that it asks for, else the first", async () => {
  const pairs = [await filesOf(serverCertificate, serverKey), await filesOf(otherCertificate, otherKey)]
  const certificates = await Certificates.open({ pairs, log: quietLog })
  const first = certificates.for(undefined)
  const other = certificates.for("elsewhere.example")
  expect(other).not.toBe(first)
  expect(certificates.for("ELSEWHERE.example")).toBe(other)
  for (const name of ["localhost", "shop.test", "a.elsewhere.example", "unknown.example", "x"])
    expect(certificates.for(name)).toBe(first)
})

test("the names of a certificate are its DNS names, wildcards among them", () => {
  expect(namesOf(new X509Certificate(serverCertificate))).toEqual(["localhost", "*.test"])
  expect(namesOf({ subjectAltName: 'DNS:"a, DNS:b", DNS:C.example, IP Address:127.0.0.1' })).toEqual([
    "a, dns:b",
    "c.example",
  ])
  expect(namesOf({ subjectAltName: undefined })).toEqual([])
})

test("files that change are read again", async () => {
  const pair = await filesOf(serverCertificate, serverKey)
  const certificates = await opened(pair)
  const before = certificates.for(undefined)
  await writeFile(pair.keyFile, otherKey)
  await writeFile(pair.certificateFile, otherCertificate)
  const after = await until("the new certificate", () => {
    const context = certificates.for("elsewhere.example")
    return context !== before && context
  })
  expect(certificates.for(undefined)).toBe(after)
})

test("a file that is broken leaves what there was, is told once, and what is good again is taken", async () => {
  const { log, lines } = recordedLog()
  const pair = await filesOf(serverCertificate, serverKey)
  const certificates = await opened(pair, log)
  const before = certificates.for(undefined)
  await replace(pair.certificateFile, "half of")
  await until("the complaint", () => lines.some(({ msg }) => msg === "certificates kept as they were"))
  expect(certificates.for(undefined)).toBe(before)
  await replace(pair.certificateFile, serverCertificate)
  await until("the good one", () => certificates.for(undefined) !== before)
  expect(lines.filter(({ msg }) => msg === "certificates kept as they were")).toHaveLength(1)
})

/** At once: nobody sees it half written. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

async function opened(pair: Awaited<ReturnType<typeof filesOf>>, log = quietLog): Promise<Certificates> {
  const certificates = await Certificates.open({ pairs: [pair], log, lookMs: 5 })
  onTestFinished(() => certificates.stop())
  certificates.start()
  return certificates
}

async function filesOf(
  cert: string | undefined,
  key: string,
): Promise<{ certificateFile: string; keyFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), "restante-tls-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const pair = { certificateFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") }
  if (cert !== undefined) await writeFile(pair.certificateFile, cert)
  await writeFile(pair.keyFile, key)
  return pair
}
