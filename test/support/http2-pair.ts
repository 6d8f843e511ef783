// An edge that speaks TLS and an agent that trusts it, attached to each other.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { authority, serverCertificate, serverKey } from "./certificates.ts"
import { temporaryFolder } from "./folder.ts"
import { startAgent, startEdge, type Agent, type Edge, type Transport } from "./pair.ts"

export interface SecurePair extends AsyncDisposable {
  readonly edge: Edge
  readonly agent: Agent
  readonly url: string
  /** Where certificate and key are: cert.pem and key.pem. */
  readonly folder: string
}

export interface SecureEdge extends AsyncDisposable {
  readonly edge: Edge
  /** Where certificate and key are (cert.pem and key.pem), and who has signed it (ca.pem). */
  readonly folder: string
}

/** The edge alone. */
export async function startSecureEdge(args: readonly string[] = []): Promise<SecureEdge> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryFolder())
  await writeFile(join(path, "cert.pem"), serverCertificate)
  await writeFile(join(path, "key.pem"), serverKey)
  await writeFile(join(path, "ca.pem"), authority)
  const tls = ["--tls-cert", join(path, "cert.pem"), "--tls-key", join(path, "key.pem")]
  const edge = stack.use(await startEdge({ args: [...tls, ...args] }))
  const owned = stack.move()
  return { edge, folder: path, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export async function startSecurePair(options: {
  readonly server: string
  readonly transport?: Transport
  readonly edgeArgs?: readonly string[]
  readonly agentArgs?: readonly string[]
}): Promise<SecurePair> {
  const { server, transport = "websocket", edgeArgs = [], agentArgs = [] } = options
  await using stack = new AsyncDisposableStack()
  const { edge, folder } = stack.use(await startSecureEdge(edgeArgs))
  const trust = ["--external-ca-file", join(folder, "ca.pem")]
  const external = edge.url.replace("127.0.0.1", "localhost")
  const agent = stack.use(await startAgent({ server, external, transport, args: [...trust, ...agentArgs] }))
  await agent.attached()
  const owned = stack.move()
  return { edge, agent, url: external, folder, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
