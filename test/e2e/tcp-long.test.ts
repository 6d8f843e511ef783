// What is large, and what is long, through a TCP port. RESTANTE_TEST_BULK_MIB sets how much goes each way,
// RESTANTE_TEST_IDLE_SECONDS how long nothing is said.
import { once } from "node:events"
import net, { type AddressInfo } from "node:net"
import { describe, expect, test } from "vitest"
import { mib, readBulk, type Received, writeBulk } from "../support/bulk.ts"
import { transports } from "../support/pair.ts"
import { report } from "../support/report.ts"
import { echoBytes, startTcpPair, TcpEnd, tcpServer } from "../support/tcp.ts"
import { passTime } from "../support/until.ts"

const bulkBytes = Number(process.env["RESTANTE_TEST_BULK_MIB"] ?? 256) * mib
const memoryLimitBytes = 200 * mib
/** Longer than a poll is held, than an end may be silent, than a session without connections lives, and than TCP waits for its first probe. */
const idleMs = Number(process.env["RESTANTE_TEST_IDLE_SECONDS"] ?? 35) * 1000
const minutes = 60_000

describe.each(transports)("over %s", { timeout: 30 * minutes }, (transport) => {
  test("large transfers both ways at once arrive unchanged, in bounded memory", async () => {
    const { promise, resolve } = Promise.withResolvers<Received>()
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      void readBulk(socket).then(resolve)
      void writeBulk(socket, bulkBytes)
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    await using pair = await startTcpPair({ target: `127.0.0.1:${port}`, transport })
    const client = net.connect({ port: pair.port, host: "127.0.0.1", allowHalfOpen: true })
    const beganAt = performance.now()
    const [down, up] = await Promise.all([readBulk(client), promise, writeBulk(client, bulkBytes)])
    const tookMs = performance.now() - beganAt
    server.close()
    const peaks = [pair.edge, pair.agent].map(({ program }) => program.peakMemoryBytes)
    report(() => {
      const speed = (bulkBytes / tookMs / 1e6).toFixed(2)
      const memory = peaks.map((bytes) => Math.round(bytes / mib)).join(" and ")
      return `${bulkBytes / mib} MiB each way over ${transport}: ${speed} GB/s each, most memory: edge and agent ${memory} MiB`
    })
    expect([down, up]).toEqual([{ bytes: bulkBytes }, { bytes: bulkBytes }])
    expect(Math.max(...peaks)).toBeLessThan(memoryLimitBytes)
  })
})

describe.each(transports)("over %s", { concurrent: true, timeout: idleMs + minutes }, (transport) => {
  test("a connection on which nobody says anything outlives every deadline", async () => {
    await using server = await tcpServer(echoBytes)
    const deadlines = ["--hold", "--timeout", "--head-timeout", "--body-timeout", "--idle-timeout"]
    await using pair = await startTcpPair({
      target: `127.0.0.1:${server.port}`,
      transport,
      edgeArgs: deadlines.flatMap((option) => [option, "1s"]),
    })
    using client = await TcpEnd.to(pair.port)
    client.socket.write("before")
    await client.hears("before")
    await passTime(idleMs)
    client.socket.end(", after")
    await client.hears("before, after")
    expect([client.error, server.ends.length]).toEqual([undefined, 1])
  })
})
