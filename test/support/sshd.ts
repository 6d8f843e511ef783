// A real sshd on a free loopback port, with keys of its own, that lets in who runs the tests.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { succeed } from "./command.ts"
import { freePort } from "./redis.ts"
import { TcpEnd } from "./tcp.ts"
import { until } from "./until.ts"

export interface Sshd extends AsyncDisposable {
  readonly port: number
  /** File of the private key that opens it. */
  readonly key: string
}

/** Keeps everything in `folder`. */
export async function startSshd(folder: string): Promise<Sshd> {
  const key = join(folder, "client")
  const hostKey = join(folder, "host")
  for (const file of [key, hostKey])
    await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file])
  const port = await freePort()
  const config = join(folder, "sshd_config")
  await writeFile(
    config,
    [
      ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${hostKey}`, `AuthorizedKeysFile ${key}.pub`],
      ...[
        "PidFile none",
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        "PermitRootLogin yes",
        "",
      ],
    ].join("\n"),
  )
  // What Debian's service makes before it starts sshd; only root can, and only root's sshd wants it.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 })
  const sshd = spawn(sshdPath(), ["-D", "-e", "-f", config], { stdio: ["ignore", "ignore", "pipe"] })
  const ended = once(sshd, "exit")
  let said = ""
  sshd.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()))
  await until(
    () => `sshd to listen; it says ${said}`,
    () =>
      TcpEnd.to(port).then(
        (end) => {
          end[Symbol.dispose]()
          return true
        },
        () => false,
      ),
  )
  return {
    port,
    key,
    [Symbol.asyncDispose]: async () => {
      sshd.kill()
      await ended
    },
  }
}

/** It wants to be called by its whole path, and is often not in an ordinary user's PATH. */
function sshdPath(): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"]
  const found = folders.map((folder) => join(folder, "sshd")).find((path) => existsSync(path))
  if (found === undefined) throw new Error("There is no sshd: install openssh-server")
  return found
}
