// A relay that spoils one thing now and then: what the fuzzer must notice.
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** What is done to bytes on their way from the edge to the client; undefined: the connection is ended in order there. */
export type Sabotage = (bytes: Buffer) => Buffer | undefined

export interface Saboteur extends AsyncDisposable {
  readonly port: number
}

/** Stands before the edge at `port`. */
export async function startSaboteur(port: number, spoil: Sabotage): Promise<Saboteur> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on("data", (bytes) => {
        const passed = from === far ? spoil(bytes) : bytes
        if (passed === undefined) to.end()
        else if (!to.writableEnded) to.write(passed)
      })
      from.on("end", () => to.end())
      from.on("error", () => to.resetAndDestroy())
      from.on("close", () => sockets.delete(from))
    }
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
