// Other people's clients and servers through ports of the edge: they must not notice.
import { randomBytes } from "node:crypto"
import { Resolver } from "node:dns/promises"
import { userInfo } from "node:os"
import { describe, expect, test } from "vitest"
import { run, succeed } from "../support/command.ts"
import { temporaryFolder } from "../support/folder.ts"
import { NameServer } from "../support/name-server.ts"
import { transports } from "../support/pair.ts"
import { addressOf, startPostgres } from "../support/postgres.ts"
import { startRedis } from "../support/redis.ts"
import { startSshd } from "../support/sshd.ts"
import { startTcpPair } from "../support/tcp.ts"
import { startUdpPair } from "../support/udp.ts"

describe.each(transports)("over %s", (transport) => {
  test("ssh runs commands, carries 8 MiB there and back, and brings the exit status", async () => {
    await using folder = await temporaryFolder()
    await using sshd = await startSshd(folder.path)
    await using pair = await startTcpPair({ target: `127.0.0.1:${sshd.port}`, transport })
    const ssh = [
      ...[
        "-F",
        "none",
        "-p",
        String(pair.port),
        "-i",
        sshd.key,
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
      ],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
      `${userInfo().username}@127.0.0.1`,
    ]
    const bytes = randomBytes(8 * 1024 * 1024)
    const { code, stdout, stderr } = await run("ssh", [...ssh, "cat; exit 7"], { input: bytes })
    expect([stderr, code, stdout.equals(bytes)]).toEqual(["", 7, true])
  })

  test("psql asks PostgreSQL, and gets and gives large tables", async () => {
    await using folder = await temporaryFolder()
    await using postgres = await startPostgres(folder.path)
    await using pair = await startTcpPair({ target: `127.0.0.1:${postgres.port}`, transport })
    const psql = (sql: string, input?: Buffer): Promise<string> =>
      succeed("psql", [...addressOf(pair.port), "-At", "-c", sql], input === undefined ? {} : { input })
    await psql("create table numbers (n int, text text)")
    const lines = Array.from({ length: 100_000 }, (_, n) => `${n}\t${"x".repeat(n % 50)}\n`).join("")
    await psql("copy numbers from stdin", Buffer.from(lines))
    expect(await psql("select count(*), sum(n) from numbers")).toBe("100000|4999950000\n")
    expect((await psql("copy (select * from numbers order by n) to stdout")) === lines).toBe(true)
  })

  test("redis-cli sets, gets, and pipes 5,000 commands", async () => {
    await using redis = await startRedis()
    await using pair = await startTcpPair({ target: `127.0.0.1:${redis.port}`, transport })
    const cli = ["-p", String(pair.port)]
    await succeed("redis-cli", [...cli, "set", "greeting", "grüße"])
    const commands = Array.from({ length: 5000 }, (_, n) => `set key${n} ${n}\r\n`).join("")
    const piped = await succeed("redis-cli", [...cli, "--pipe"], { input: Buffer.from(commands) })
    expect(piped).toContain("errors: 0, replies: 5000")
    expect(await succeed("redis-cli", [...cli, "--raw", "mget", "greeting", "key4999"])).toBe("grüße\n4999\n")
  })

  test("a resolver asks a name server", async () => {
    await using names = await NameServer.listen(["192.0.2.1", "192.0.2.2"])
    await using pair = await startUdpPair({ targetPort: names.port, transport })
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${pair.port}`])
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => resolver.resolve4(`host${n}.example`)),
    )
    expect(answers).toEqual(answers.map(() => ["192.0.2.1", "192.0.2.2"]))
  })
})
