// The options of the way to the edge: which proxy, whose certificate we show, and what is told of wrong files.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import {
  authority,
  clientCertificate,
  clientKey,
  encryptedClientKey,
  otherKey,
} from "../../../../test/support/certificates.ts"
import { proxyIn, temporaryDirectory, type Run } from "./stand-ins.ts"

const token = "a-token-of-these-tests-0123456789"
const ends = ["--server", "http://127.0.0.1:3000", "--external", "https://edge.example"]

describe("the proxy", () => {
  test("is that of --proxy, whatever the environment says", async () => {
    const environment = { RESTANTE_TOKEN: token, PROXY_IN_PROXY: "http://b:1", HTTPS_PROXY: "http://c:1" }
    const run = await proxyIn([...ends, "--proxy", "http://a:3128"], { environment })
    expect(run.options?.proxy).toMatchObject({ host: "a", port: 3128, tls: false, credentials: undefined })
  })

  test("is that of PROXY_IN_PROXY before that of HTTPS_PROXY", async () => {
    const environment = { RESTANTE_TOKEN: token, PROXY_IN_PROXY: "http://b:1", HTTPS_PROXY: "http://c:1" }
    expect((await proxyIn(ends, { environment })).options?.proxy?.host).toBe("b")
  })

  test("is none with --proxy none", async () => {
    const environment = { RESTANTE_TOKEN: token, HTTPS_PROXY: "http://c:1" }
    const run = await proxyIn([...ends, "--proxy", "none"], { environment })
    expect(run).toMatchObject({ exitCode: 0, options: { proxy: undefined } })
  })

  test("with a password does not stand on the command line, and the refusal does not repeat it", async () => {
    const run = await proxyIn([...ends, "--proxy", "http://jane:hidden@a:1"], {
      environment: { RESTANTE_TOKEN: token },
    })
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toMatch(/^proxy-in: --proxy: (?!.*hidden).*PROXY_IN_PROXY/)
  })

  test("with a password does not show in what is logged", async () => {
    const environment = { RESTANTE_TOKEN: token, PROXY_IN_PROXY: "http://jane:hidden@a:1" }
    const run = await proxyIn(ends, { environment })
    expect(run.options?.proxy?.credentials?.reveal()).toBe("jane:hidden")
    expect(run.logged + run.stdout + run.stderr).not.toContain("hidden")
  })

  test("without TLS wants no --proxy-ca-file", async () => {
    const run = await proxyIn([...ends, "--proxy", "http://a:1", "--proxy-ca-file", "ca.pem"], {
      environment: { RESTANTE_TOKEN: token },
    })
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toBe(
      "proxy-in: --proxy-ca-file is only for a proxy with https:// in its URL. Leave it out, or write https://.\n",
    )
  })
})

describe("the client certificate", () => {
  async function started(certificate: string, key: string): Promise<Run> {
    const folder = await temporaryDirectory()
    const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")]
    await writeFile(certFile, certificate)
    await writeFile(keyFile, key)
    return proxyIn([...ends, "--external-cert-file", certFile, "--external-key-file", keyFile], {
      environment: { RESTANTE_TOKEN: token },
    })
  }

  test("is read with its key, which no log shows", async () => {
    const run = await started(clientCertificate, clientKey)
    expect(run.options?.externalIdentity?.certificate).toBe(clientCertificate)
    expect(run.logged).not.toContain("PRIVATE KEY")
  })

  test.each([
    ["a key of another certificate", clientCertificate, otherKey, "does not belong to the first certificate"],
    [
      "an encrypted key",
      clientCertificate,
      encryptedClientKey,
      "is encrypted. Write a copy without password",
    ],
    ["a certificate in the key's place", clientCertificate, authority, "belongs to --external-cert-file"],
    ["a key in the certificate's place", clientKey, clientKey, "belongs to --external-key-file"],
    ["no certificate at all", "hello", clientKey, "holds no valid certificate"],
    ["no key at all", clientCertificate, "hello", "holds no valid private key"],
  ])("%s is one line that says so", async (_what, certificate, key, said) => {
    const run = await started(certificate, key)
    expect(run).toMatchObject({ exitCode: 1, options: undefined })
    expect(run.stderr).toMatch(new RegExp(`^proxy-in: [^\\n]*${said}[^\\n]*\\n$`))
  })

  test.each([
    ["--external-cert-file", "--external-key-file"],
    ["--external-key-file", "--external-cert-file"],
  ])("%s alone misses %s", async (given, missing) => {
    const run = await proxyIn([...ends, given, "x.pem"], { environment: { RESTANTE_TOKEN: token } })
    expect(run.stderr).toBe(`proxy-in: ${missing} is missing: a certificate and its key belong together.\n`)
  })

  test("is only for an https edge", async () => {
    const plain = ["--server", "http://127.0.0.1:3000", "--external", "http://127.0.0.1:80"]
    const run = await proxyIn([...plain, "--external-cert-file", "x.pem"], {
      environment: { RESTANTE_TOKEN: token },
    })
    expect(run.stderr).toMatch(/only for an https:\/\/ --external/)
  })
})
