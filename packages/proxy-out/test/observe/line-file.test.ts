// Lines on their way into a file that may be renamed, be gone, or be too slow.
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { LineFile } from "../../src/observe/line-file.ts"

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "restante-lines-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

test("lines are in the file, in order, once it has been stopped", async () => {
  const path = join(await folder(), "access.log")
  const file = new LineFile({ path, onError: () => {} })
  for (let count = 0; count < 10_000; count++) file.append(`line ${count}\n`)
  await file.stop()
  const lines = (await readFile(path, "utf8")).split("\n")
  expect([lines.length, lines[0], lines[9999], file.dropped]).toEqual([10_001, "line 0", "line 9999", 0])
})

test("lines are added to a file that is there already", async () => {
  const path = join(await folder(), "access.log")
  for (const line of ["first\n", "second\n"]) {
    const file = new LineFile({ path, onError: () => {} })
    file.append(line)
    await file.stop()
  }
  expect(await readFile(path, "utf8")).toBe("first\nsecond\n")
})

test("after logrotate has renamed the file, lines go into a new one of the old name", async () => {
  const path = join(await folder(), "access.log")
  const file = new LineFile({ path, onError: () => {} })
  file.append("before\n")
  await expect.poll(() => readFile(path, "utf8")).toBe("before\n")
  await rename(path, `${path}.1`)
  file.append("after\n")
  await file.stop()
  expect([await readFile(`${path}.1`, "utf8"), await readFile(path, "utf8")]).toEqual(["before\n", "after\n"])
})

test("reopen follows the name at once", async () => {
  const path = join(await folder(), "access.log")
  const file = new LineFile({ path, onError: () => {} })
  await rename(path, `${path}.1`)
  file.reopen()
  expect(await readFile(path, "utf8")).toBe("")
  await file.stop()
})

test("lines beyond what may wait are given up and counted, not kept", async () => {
  const path = join(await folder(), "access.log")
  const file = new LineFile({ path, onError: () => {} })
  const line = `${"x".repeat(1023)}\n`
  for (let count = 0; count < 20_000; count++) file.append(line)
  expect(file.dropped).toBeGreaterThan(10_000)
  await file.stop()
  const written = (await readFile(path, "utf8")).length / line.length
  expect(written + file.dropped).toBe(20_000)
})

test("a file that cannot be opened is told at once", async () => {
  const path = join(await folder(), "a directory")
  await mkdir(path)
  expect(() => new LineFile({ path, onError: () => {} })).toThrow(/EISDIR/)
})
