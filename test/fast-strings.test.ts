// What V8 thinks of strings in our programs: asked in processes of their own, with V8's own word for it.
import { execFile } from "node:child_process"
import { createRequire } from "node:module"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"

describe("the methods of strings", () => {
  it.each([
    ["an edge without Redis", ["proxy-out/dist/program.js", "proxy-out/dist/edge.js"]],
    ["an edge with Redis", ["proxy-out/dist/edge.js", "proxy-out/dist/queue/bullmq-broker.js"]],
    ["an agent", ["proxy-in/dist/program.js", "proxy-in/dist/agents.js"]],
  ])("stay where V8's compiler sees them in %s", async (_who, modules) => {
    expect(await fastWith(modules.map((path) => new URL(`../packages/${path}`, import.meta.url).href))).toBe(
      "true",
    )
  })

  it("would be lost to it through ioredis: what we do about that is still needed", async () => {
    const ioredis = createRequire(new URL("../packages/proxy-out/package.json", import.meta.url))
    expect(await fastWith([ioredis.resolve("ioredis")])).toBe("false")
  })
})

/** "true" or "false", from a process that has loaded these. */
async function fastWith(modules: readonly string[]): Promise<string> {
  const loads = modules.map((one) => `await import(${JSON.stringify(one)})`)
  const asks = [...loads, "console.log(%HasFastProperties(String.prototype))", "process.exit()"].join("; ")
  const flags = ["--allow-natives-syntax", "--input-type=module", "--eval", asks]
  const { stdout } = await promisify(execFile)(process.execPath, flags)
  return stdout.trim()
}
