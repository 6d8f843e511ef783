// From a tunnel's checked values to the options of its agent: reads the token, certificates and keys that they name.
import { readFile } from "node:fs/promises"
import { CommandError, givenToken, type OptionValues } from "@restante/protocol"
import type { Logger } from "pino"
import type { AgentOptions, UpstreamAddress } from "./agent-options.ts"
import { readClientIdentity, type ClientIdentity } from "./attach/client-identity.ts"
import { environmentProxy, type ForwardProxy } from "./attach/forward-proxy.ts"
import { readCaFile } from "./ca-file.ts"
import type { AgentTable } from "./cli-options.ts"
import type { Terminal } from "./terminal/terminal.ts"

/** Raises `CommandError` for values that do not fit together and for files that are not what they should be. */
export async function agentOptions(
  values: OptionValues<AgentTable>,
  { environment, log, terminal }: Surrounding,
): Promise<AgentOptions> {
  const server = await trustedUpstream(values.server, values["ca-file"])
  const caFile = values["external-ca-file"]
  if (caFile !== undefined && values.external.protocol !== "https:") {
    throw new CommandError(
      "usage",
      "--external-ca-file is only for an https:// --external. Leave it out, or write https://.",
    )
  }
  const token = await givenToken({
    file: values["token-file"],
    environment,
    readText: (path) => readFile(path, "utf8"),
  })
  if (token === undefined) {
    throw new CommandError(
      "usage",
      "The edge's token is missing. Put it into a file and give --token-file FILE, or set RESTANTE_TOKEN; proxy-out says at its start where the token is.",
    )
  }
  return {
    server,
    external: values.external,
    externalCa: caFile === undefined ? undefined : await readCaFile(caFile, "--external-ca-file"),
    externalIdentity: await identityFor(values),
    proxy: await proxyFor(values, environment),
    tunnel: values.tunnel,
    token,
    transport: values.transport,
    concurrency: values.concurrency,
    maxUpgrades: values["max-upgrades"],
    hostHeader: values["host-header"],
    onRequest: terminal && ((request, outcome) => terminal.request(values.tunnel, request, outcome)),
    log,
  }
}

interface Surrounding {
  readonly environment: Environment
  readonly log: Logger
  /** Where request lines go, when a person watches. */
  readonly terminal: Terminal | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

function identityFor(values: OptionValues<AgentTable>): Promise<ClientIdentity | undefined> {
  const files = { certificate: values["external-cert-file"], key: values["external-key-file"] }
  if (values.external.protocol === "http:" && (files.certificate ?? files.key) !== undefined) {
    throw new CommandError(
      "usage",
      "--external-cert-file and --external-key-file are only for an https:// --external. Leave them out, or write https://.",
    )
  }
  return readClientIdentity(files)
}

/** `--proxy`, else PROXY_IN_PROXY, else what the environment's usual variables say. */
async function proxyFor(
  values: OptionValues<AgentTable>,
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
  server: UpstreamAddress,
  caFile: string | undefined,
): Promise<UpstreamAddress> {
  if (caFile === undefined) return server
  if (server.kind !== "tcp" || !server.tls) {
    throw new CommandError(
      "usage",
      "--ca-file is only for an https:// --server. Leave it out, or write https://.",
    )
  }
  return { ...server, ca: await readCaFile(caFile, "--ca-file") }
}
