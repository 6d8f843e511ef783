// How an sshd with a port, keys and a configuration of its own is started.
import { existsSync, mkdirSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { succeed } from "./command.ts"
import { freePort } from "./redis.ts"

/** Keys and configuration of one, in `folder`. */
export async function prepareSshd(folder: string): Promise<SshdCommand> {
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
  return { port, key, command: sshdPath(), words: ["-D", "-e", "-f", config] }
}

export interface SshdPlace {
  readonly port: number
  /** File of the private key that opens it. */
  readonly key: string
}

/** How one is started. */
export interface SshdCommand extends SshdPlace {
  readonly command: string
  readonly words: readonly string[]
}

/** It wants to be called by its whole path, and is often not in an ordinary user's PATH. */
function sshdPath(): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"]
  const found = folders.map((folder) => join(folder, "sshd")).find((path) => existsSync(path))
  if (found === undefined) throw new Error("There is no sshd: install openssh-server")
  return found
}
