// A TLS terminator before a plain server, as people put one before an edge. It may ask its clients for a certificate.
import { once } from "node:events"
import net, { type AddressInfo } from "node:net"
import tls from "node:tls"
import { authority, serverCertificate, serverKey } from "./certificates.ts"

export interface TlsFront extends AsyncDisposable {
  readonly port: number
  /** The names that clients asked for (SNI), in order; false for none. */
  readonly names: (string | false | null)[]
}

export interface TlsFrontOptions {
  /** The plain server's, on loopback. */
  readonly port: number
  /** Lets in only clients with a certificate of the tests' authority. */
  readonly asksClients?: boolean
  /** Default: a good one for localhost. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

export async function tlsFront(options: TlsFrontOptions): Promise<TlsFront> {
  const names: (string | false | null)[] = []
  const sockets = new Set<net.Socket>()
  const { cert, key } = options.certificate ?? { cert: serverCertificate, key: serverKey }
  const asks = options.asksClients === true
  const server = tls.createServer(
    { cert, key, ca: authority, requestCert: asks, rejectUnauthorized: asks, ALPNProtocols: ["http/1.1"] },
    (near) => {
      names.push(near.servername)
      const far = net.connect({ port: options.port, host: "127.0.0.1", noDelay: true })
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from)
        from.on("error", () => to.destroy())
        from.on("close", () => to.destroy())
        from.pipe(to)
      }
    },
  )
  server.on("tlsClientError", () => undefined)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    names,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
