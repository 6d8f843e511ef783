// A server that nobody may connect to.
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"

export interface Trap extends AsyncDisposable {
  readonly port: number
  /** Connections that came. */
  readonly caught: number
}

export async function startTrap(): Promise<Trap> {
  let caught = 0
  const server = createServer((socket) => {
    caught++
    socket.destroy()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    get caught() {
      return caught
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      await closed
    },
  }
}
