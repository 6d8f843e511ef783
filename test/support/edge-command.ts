// proxy-out's commands, run as a person would: the real program, to its end.
import { fileURLToPath } from "node:url"
import { run } from "./command.ts"

export interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export async function proxyOut(...args: readonly string[]): Promise<Said> {
  const program = fileURLToPath(new URL("../../packages/proxy-out/bin/proxy-out.js", import.meta.url))
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args])
  return { code, stdout: stdout.toString(), stderr }
}
