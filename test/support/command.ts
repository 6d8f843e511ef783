// Other people's programs as real clients: curl, git, npm.
import { spawn } from "node:child_process"
import { once } from "node:events"

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: Buffer
  /** Killed after this long. Milliseconds. Default 60 s. */
  readonly withinMs?: number
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs it to its end, whatever its exit code. The environment is PATH and `env`, nothing else. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd, env = {}, input, withinMs = 60_000 } = options
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: withinMs,
    killSignal: "SIGKILL",
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes))
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes))
  child.stdin.on("error", () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, "close")) as [number | null]
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }
}

/** As `run`, but rejects with what it said unless it exits with 0. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options)
  if (code !== 0)
    throw new Error(`${program} ${args.join(" ")}: exit ${code}\n${stdout.toString()}\n${stderr}`)
  return stdout.toString()
}
