// Files that a person names, of every kind that the system has.
import { execFileSync } from "node:child_process"
import { constants, mkdtemp, open, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { describe, expect, onTestFinished, test } from "vitest"
import { givenFileText, type GivenFiles } from "../../src/config/given-file.ts"

const files: GivenFiles = { constants, open, stat, wait: (waitMs) => wait(waitMs) }

test("a regular file is read whole", async () => {
  const path = join(await folder(), "file")
  const text = "größe\n".repeat(20_000)
  await writeFile(path, text)
  expect(await givenFileText(path, files, false)).toBe(text)
})

test("a file of more than 1 MiB is refused", async () => {
  const path = join(await folder(), "file")
  await writeFile(path, Buffer.alloc(1024 * 1024 + 1, "x"))
  await expect(givenFileText(path, files, false)).rejects.toThrow("it is larger than 1 MiB")
})

test.each(["/dev/zero", "/dev/null"])("%s is refused, whether or not pipes are taken", async (device) => {
  await expect(givenFileText(device, files, false)).rejects.toThrow("it is no regular file")
  await expect(givenFileText(device, files, true)).rejects.toThrow("it is no regular file or pipe")
})

test("a directory is refused as such", async () => {
  await expect(givenFileText(await folder(), files, true)).rejects.toThrow("it is a directory")
})

describe("a pipe", () => {
  test("is read until its writer has ended, who comes late and in pieces", async () => {
    const path = await pipe()
    const reading = givenFileText(path, { ...files, wait: (waitMs) => wait(Math.min(waitMs, 2)) }, true)
    const writer = await open(path, "w")
    for (const piece of ["one ", "two ", "three"]) {
      // oxlint-disable-next-line no-await-in-loop -- one piece behind the other
      await writer.write(piece)
      // oxlint-disable-next-line no-await-in-loop -- so that the reader sees a pipe that is empty and not at its end
      await wait(10)
    }
    await writer.close()
    expect(await reading).toBe("one two three")
  })

  test.each(["nobody writes into", "somebody keeps open without a word"])(
    "that %s is given up after ten seconds",
    async (situation) => {
      const path = await pipe()
      const writer = situation.startsWith("nobody") ? undefined : await open(path, constants.O_RDWR)
      onTestFinished(async () => writer?.close())
      let waitedMs = 0
      const hurried = { ...files, wait: async (waitMs: number) => void (waitedMs += waitMs) }
      await expect(givenFileText(path, hurried, true)).rejects.toThrow(
        "nothing more came through this pipe within 10 s",
      )
      expect(waitedMs).toBe(10_000)
    },
  )

  test("is refused where the file is looked at again later", async () => {
    await expect(givenFileText(await pipe(), files, false)).rejects.toThrow("it is no regular file")
  })
})

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "restante-given-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function pipe(): Promise<string> {
  const path = join(await folder(), "pipe")
  execFileSync("mkfifo", [path])
  return path
}
