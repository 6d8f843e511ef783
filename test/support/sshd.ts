// A real sshd on a free loopback port, with keys of its own, that lets in who runs the tests.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { prepareSshd, type SshdPlace } from "./sshd-command.ts"
import { TcpEnd } from "./tcp.ts"
import { until } from "./until.ts"

export interface Sshd extends SshdPlace, AsyncDisposable {}

/** Keeps everything in `folder`. */
export async function startSshd(folder: string): Promise<Sshd> {
  const { port, key, command, words } = await prepareSshd(folder)
  const sshd = spawn(command, words, { stdio: ["ignore", "ignore", "pipe"] })
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
