// How connections to the edge are made, on real sockets: both address families, keep-alives, names for TLS.
import { once } from "node:events"
import net from "node:net"
import type { AddressInfo, LookupFunction } from "node:net"
import { expect, test, vi } from "vitest"
import { EdgeDialer } from "../../src/attach/edge-dialer.ts"
import type { DialPurpose } from "../../src/attach/edge-dialer.ts"

const purposes: readonly DialPurpose[] = ["requests", "websocket"]

/** Every name has both: ::1, where nothing listens, before 127.0.0.1. */
const bothFamilies: LookupFunction = (_name, _options, found) => {
  found(null, [
    { address: "::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
  ])
}

async function listening(host: string): Promise<{ port: number } & AsyncDisposable> {
  const server = net.createServer((socket) => socket.on("error", () => undefined).resume())
  server.listen(0, host)
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, "close")
    },
  }
}

test.for(purposes)("%s find IPv4 where the name has IPv6 too and nothing listens there", async (purpose) => {
  await using server = await listening("127.0.0.1")
  const external = new URL(`http://both.test:${server.port}`)
  const socket = await new EdgeDialer({ external, ca: undefined, lookup: bothFamilies }).dial(purpose)
  expect(socket.remoteAddress).toBe("127.0.0.1")
  socket.destroy()
})

test.for(purposes)("%s go to an IPv6 address as a URL writes it", async (purpose) => {
  await using server = await listening("::1")
  const external = new URL(`http://[::1]:${server.port}`)
  const socket = await new EdgeDialer({ external, ca: undefined }).dial(purpose)
  expect(socket.remoteAddress).toBe("::1")
  socket.destroy()
})

test.for(purposes)(
  "connections for %s send TCP keep-alives after 30 s and do not wait to fill packets",
  async (purpose) => {
    await using server = await listening("127.0.0.1")
    const connect = vi.spyOn(net, "connect")
    const external = new URL(`http://127.0.0.1:${server.port}`)
    const socket = await new EdgeDialer({ external, ca: undefined }).dial(purpose)
    expect(connect.mock.calls[0]?.[0]).toMatchObject({
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      noDelay: true,
    })
    connect.mockRestore()
    socket.destroy()
  },
)

test("a server that does not speak TLS is told as such, and not waited for", async () => {
  const speaking = net.createServer((socket) => socket.end("220 mail.example ESMTP\r\n"))
  speaking.listen(0, "127.0.0.1")
  await once(speaking, "listening")
  const external = new URL(`https://127.0.0.1:${(speaking.address() as AddressInfo).port}`)
  await expect(new EdgeDialer({ external, ca: undefined }).dial("requests")).rejects.toMatchObject({
    code: "tls_not_spoken",
  })
  speaking.close()
})
