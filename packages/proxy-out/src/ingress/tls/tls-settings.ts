// What the options about TLS and HTTP/2 come to: the certificates read, and combinations that mean nothing refused.
import { CommandError, type OptionValues } from "@restante/protocol"
import type { Logger } from "pino"
import type { EdgeTable } from "../../cli-options.ts"
import type { EdgeOptions } from "../../edge-options.ts"
import { Certificates } from "./certificates.ts"

type TlsOptions = Pick<EdgeOptions, "certificates" | "redirectPort" | "h2c">

/** Raises `CommandError` for options that do not fit together, and for files that are not what they should be. */
export async function tlsSettings(values: OptionValues<EdgeTable>, log: Logger): Promise<TlsOptions> {
  const {
    "tls-cert": certificateFiles,
    "tls-key": keyFiles,
    "redirect-port": redirectPort,
    port,
    h2c,
  } = values
  if (certificateFiles.length === 0 && keyFiles.length === 0) {
    if (redirectPort === undefined) return { h2c }
    throw new CommandError(
      "usage",
      "--redirect-port: there is no TLS port to send clients to. Give --tls-cert and --tls-key, or leave it out.",
    )
  }
  if (certificateFiles.length !== keyFiles.length)
    throw new CommandError(
      "usage",
      `--tls-key: every certificate needs its key: --tls-cert is given ${certificateFiles.length} times, --tls-key ${keyFiles.length} times.`,
    )
  if (h2c)
    throw new CommandError(
      "usage",
      "--h2c: with --tls-cert the port speaks TLS, and HTTP/2 by itself. Leave out one of them.",
    )
  if (redirectPort === port && port !== 0)
    throw new CommandError(
      "usage",
      "--redirect-port: that is the port of --port, which speaks TLS. Give another one, such as 80.",
    )
  const pairs = certificateFiles.map((certificateFile, at) => ({ certificateFile, keyFile: keyFiles[at]! }))
  return { certificates: await Certificates.open({ pairs, log }), redirectPort }
}
