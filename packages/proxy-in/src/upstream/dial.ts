// Opens sockets to the upstream, and to nothing else. All of them read into one buffer, so that a read can be large
// without every connection paying for it.
import net from "node:net"
import tls from "node:tls"
import type { UpstreamAddress } from "../agent-options.ts"

/**
 * Begins to connect. `onRead` gets bytes that are valid only until it returns; its answer says whether to read on, and
 * after false `socket.resume()` does. `allowHalfOpen`: our side does not end with the upstream's. The socket emits "connect", with TLS "secureConnect", then "end", "error", "close".
 */
export function dial(
  address: UpstreamAddress,
  allowHalfOpen: boolean,
  onRead: (bytes: Buffer) => boolean,
): net.Socket {
  const onread = {
    buffer: sharedReads,
    callback: (count: number): boolean => onRead(sharedReads.subarray(0, count)),
  }
  if (address.kind === "unix") return net.connect({ path: address.path, onread, allowHalfOpen })
  const { host, port, ca } = address
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: probeAfterMs }
  const place = { host, port, onread, allowHalfOpen, noDelay: true, ...keepAlive }
  if (!address.tls) return net.connect(place)
  return tls.connect({
    ...place,
    ALPNProtocols: ["http/1.1"],
    ...(net.isIP(host) === 0 ? { servername: host } : {}), // RFC 6066 section 3: no literal addresses in SNI
    ...(ca === undefined ? {} : { ca }),
  })
}

/**
 * Reads are synchronous, so one buffer does for every connection. This size triples the throughput of a large body
 * against the 64 KiB that Node reads by default.
 */
const sharedReads: Buffer = Buffer.allocUnsafeSlow(256 * 1024)

/** TCP keep-alive: a peer that vanished without a word is noticed even on a response that may be silent for hours. */
const probeAfterMs = 30_000
