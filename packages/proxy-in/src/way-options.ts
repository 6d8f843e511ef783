// From checked options to the way: the upstream with what it is trusted by, the edge likewise, and the proxy between. Files are read here.
import { CommandError, type OptionValues } from "@restante/protocol"
import type { AgentOptions, UpstreamAddress } from "./agent-options.ts"
import { readClientIdentity, type ClientIdentity } from "./attach/client-identity.ts"
import { environmentProxy, type ForwardProxy } from "./attach/forward-proxy.ts"
import { readCaFile } from "./ca-file.ts"
import type { AgentTable } from "./cli-options.ts"

export type WayOptions = Pick<
  AgentOptions,
  "server" | "external" | "externalCa" | "externalIdentity" | "proxy"
>

/** The options that say where to connect and whom to trust. */
export type WayTable = Pick<
  AgentTable,
  | "server"
  | "external"
  | "ca-file"
  | "external-ca-file"
  | "external-cert-file"
  | "external-key-file"
  | "proxy"
  | "proxy-ca-file"
>

type Environment = Readonly<Record<string, string | undefined>>

/** Raises `CommandError` for options that do not fit together, and for files that cannot be used. */
export async function readWay(values: OptionValues<WayTable>, environment: Environment): Promise<WayOptions> {
  const { external } = values
  return {
    server: await trustedUpstream(values.server, values["ca-file"]),
    external,
    externalCa: await edgeAuthorities(values),
    externalIdentity: await identityFor(values),
    proxy: await proxyFor(values, environment),
  }
}

/** Each of the above by itself, for a check that says all that is wrong. */
export const waySteps: readonly ((values: OptionValues<WayTable>) => unknown)[] = [
  (values) => trustedUpstream(values.server, values["ca-file"]),
  edgeAuthorities,
  (values) => identityFor(values),
  (values) => proxyFor(values, {}),
]

async function edgeAuthorities(values: OptionValues<WayTable>): Promise<string | undefined> {
  const caFile = values["external-ca-file"]
  if (caFile === undefined) return undefined
  if (values.external.protocol !== "https:") {
    throw new CommandError(
      "usage",
      "--external-ca-file is only for an https:// --external. Leave it out, or write https://.",
    )
  }
  return readCaFile(caFile, "--external-ca-file")
}

function identityFor(values: OptionValues<WayTable>): Promise<ClientIdentity | undefined> {
  const files = { certificate: values["external-cert-file"], key: values["external-key-file"] }
  if (values.external.protocol === "http:" && (files.certificate ?? files.key) !== undefined) {
    throw new CommandError(
      "usage",
      "--external-cert-file and --external-key-file are only for an https:// --external. Leave them out, or write https://.",
    )
  }
  return readClientIdentity(files)
}

/** `--proxy`, else what the environment's usual variables say. */
async function proxyFor(
  values: OptionValues<WayTable>,
  environment: Environment,
): Promise<ForwardProxy | undefined> {
  const asked = values.proxy
  const proxy = asked === "none" ? undefined : (asked ?? environmentProxy(values.external, environment))
  const caFile = values["proxy-ca-file"]
  if (caFile === undefined) return proxy
  if (proxy?.tls !== true) {
    throw new CommandError(
      "usage",
      "--proxy-ca-file is only for a proxy with https:// in its URL. Leave it out, or write https://.",
    )
  }
  return { ...proxy, ca: await readCaFile(caFile, "--proxy-ca-file") }
}

async function trustedUpstream(
  server: UpstreamAddress | undefined,
  caFile: string | undefined,
): Promise<UpstreamAddress | undefined> {
  if (caFile === undefined) return server
  if (server?.kind !== "tcp" || !server.tls) {
    throw new CommandError(
      "usage",
      "--ca-file is only for an https:// --server. Leave it out, or write https://.",
    )
  }
  return { ...server, ca: await readCaFile(caFile, "--ca-file") }
}
