// Tunnels of others that carry bytes, with keys and configuration of their own: OpenSSH's remote forwarding, and rathole.
import { mkdir, writeFile } from "node:fs/promises"
import { userInfo } from "node:os"
import { join } from "node:path"
import { freePort } from "../test/support/redis.ts"
import { prepareSshd } from "../test/support/sshd-command.ts"
import type { Place } from "./contenders.ts"
import { Program } from "./program.ts"

/** One that runs; the owner of its programs stops them. */
export interface TcpPeer {
  readonly port: number
  readonly programs: readonly Program[]
}

type PeerPlace = Pick<Place, "folder" | "upstreamPort" | "owner">

/** sshd in the edge's role and ssh in the agent's, with the cipher that they choose themselves. */
export async function sshPeer(command: string, { folder, upstreamPort, owner }: PeerPlace): Promise<TcpPeer> {
  const keys = join(folder, "ssh")
  await mkdir(keys)
  const sshd = await prepareSshd(keys)
  const server = owner.use(new Program({ role: "edge", command: sshd.command, words: sshd.words }))
  await server.listening(sshd.port)
  const port = await freePort()
  const options = {
    UserKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "no",
    ExitOnForwardFailure: "yes",
    IdentitiesOnly: "yes",
    BatchMode: "yes",
  }
  const own = ["-F", "none", "-N", "-i", sshd.key, "-p", String(sshd.port)]
  const given = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])
  const forwarding = `127.0.0.1:${port}:127.0.0.1:${upstreamPort}`
  const client = owner.use(
    new Program({
      role: "agent",
      command,
      words: [...own, ...given, "-R", forwarding, `${userInfo().username}@127.0.0.1`],
    }),
  )
  await client.listening(port)
  return { port, programs: [server, client] }
}

/** Its server in the edge's role and its client in the agent's, over plain TCP, as it comes. */
export async function ratholePeer(
  command: string,
  { folder, upstreamPort, owner }: PeerPlace,
): Promise<TcpPeer> {
  const control = await freePort()
  const port = await freePort()
  const start = async (role: "edge" | "agent", option: string, configuration: string): Promise<Program> => {
    const file = join(folder, `${role}.toml`)
    await writeFile(file, configuration)
    return owner.use(new Program({ role, command, words: [option, file], environment: { RUST_LOG: "warn" } }))
  }
  const server = await start(
    "edge",
    "--server",
    `[server]
bind_addr = "127.0.0.1:${control}"
default_token = "only-for-the-benchmark"
[server.services.small]
bind_addr = "127.0.0.1:${port}"
`,
  )
  await server.listening(control)
  const client = await start(
    "agent",
    "--client",
    `[client]
remote_addr = "127.0.0.1:${control}"
default_token = "only-for-the-benchmark"
[client.services.small]
local_addr = "127.0.0.1:${upstreamPort}"
`,
  )
  await client.listening(port)
  return { port, programs: [server, client] }
}
