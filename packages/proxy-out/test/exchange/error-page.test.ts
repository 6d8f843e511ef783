import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pino } from "pino"
import { describe, expect, onTestFinished, test } from "vitest"
import { until } from "../../../../test/support/until.ts"
import { builtInPage, templatePage } from "../../src/exchange/error-page.ts"
import type { PageFacts } from "../../src/exchange/error-page.ts"
import { PageFile } from "../../src/exchange/page-file.ts"

const facts: PageFacts = {
  status: 503,
  title: "Nobody is there.",
  code: "no_agent",
  exchange: "an-id",
  advice: "Try again.",
  retryAfterSeconds: 5,
  reload: true,
}

describe("a template", () => {
  test("may have blanks in its placeholders and say one of them twice", () => {
    expect(templatePage("{{ status }}-{{status}}").render(facts)).toBe("503-503")
  })

  test("may have single braces, as styles and scripts do", () => {
    const style = "<style>p { color: red } a{b:{c:1}}</style>"
    expect(templatePage(style).render(facts)).toBe(style)
  })

  test("shows what it is given as text, never as HTML", () => {
    const evil = `<script>alert("1")</script>&'{{code}}$&`
    const page = templatePage("{{title}}").render({ ...facts, title: evil })
    expect(page).toBe("&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;{{code}}$&#38;")
  })

  test("has nothing in the place of a time to wait that does not exist", () => {
    const page = templatePage("[{{retry-after}}{{refresh}}]")
    expect(page.render({ ...facts, retryAfterSeconds: undefined, reload: false })).toBe("[]")
  })

  test.each([
    ["<h1>\n{{statu}}", "Line 2 has {{statu}}, which is not known. Did you mean {{status}}?"],
    ["{{retry_after}}", "Line 1 has {{retry_after}}, which is not known. Did you mean {{retry-after}}?"],
    [
      "{{somethingElse}}",
      "Line 1 has {{somethingElse}}, which is not known. There are {{status}} {{title}} {{code}} {{exchange}} {{advice}} {{retry-after}} {{refresh}}.",
    ],
    ["{{\u0007}}", "Line 1 has a placeholder, which is not known. There are"],
    ["{{}}", "Line 1 has"],
  ])("%j is refused with what to write", (template, message) => {
    expect(() => templatePage(template)).toThrow(message)
  })
})

test("our own page escapes what it shows too", () => {
  expect(builtInPage.render({ ...facts, title: "<b>" })).not.toContain("<b>")
})

describe("the operator's file", () => {
  test("is shown", async () => {
    const { page } = await opened("<p>{{status}}</p>")
    expect(page.render(facts)).toBe("<p>503</p>")
  })

  test("is read again when it has changed", async () => {
    const file = await opened("old {{status}}")
    await file.change("new {{status}}")
    await until("the new page", () => file.page.render(facts) === "new 503")
    expect(file.logged()).toMatch(/"msg":"error page read again"/)
  })

  test.each([
    ["has a placeholder that is not known", "{{statsu}}", "Did you mean {{status}}?"],
    ["is not UTF-8", Buffer.from([0xff, 0xfe, 0x41]), "It is not UTF-8."],
    ["is too large", "x".repeat(65_537), "larger than 64 KiB"],
  ])("stays as it was when what comes after it %s, which is told once", async (_what, content, told) => {
    const file = await opened("good {{status}}")
    await file.change(content)
    await until("it to be told", () => {
      file.page.render(facts)
      return file.logged() !== ""
    })
    file.pass()
    expect(file.page.render(facts)).toBe("good 503")
    expect(file.logged().split("\n").filter(Boolean)).toEqual([expect.stringContaining(told)])
  })

  test("stays as it was when it is deleted", async () => {
    const file = await opened("good {{status}}")
    await rm(file.path)
    file.pass()
    await until("it to be told", () => {
      file.page.render(facts)
      return file.logged().includes("there is no such file")
    })
    expect(file.page.render(facts)).toBe("good 503")
  })

  test.each<[string, string | Buffer | undefined, string]>([
    ["is not there", undefined, "cannot be read: there is no such file."],
    ["is too large", "x".repeat(65_537), "is larger than 64 KiB. Make it smaller."],
    ["is not UTF-8", Buffer.from([0xff]), "It is not UTF-8."],
    [
      "has a placeholder that is not known",
      "a\nb {{exchnge}}",
      "Line 2 has {{exchnge}}, which is not known. Did you mean {{exchange}}?",
    ],
  ])("that %s is refused at the start, with its name and the reason", async (_what, content, reason) => {
    const path = join(await folder(), "page.html")
    if (content !== undefined) await writeFile(path, content)
    const opening = PageFile.open({ path, log: pino({ level: "silent" }), now: () => 0 })
    await expect(opening).rejects.toThrow(`--error-page: ${path}`)
    await expect(opening).rejects.toThrow(reason)
  })

  test("that is a directory is refused at the start", async () => {
    const path = await folder()
    const opening = PageFile.open({ path, log: pino({ level: "silent" }), now: () => 0 })
    await expect(opening).rejects.toThrow(`--error-page: ${path} is not a file.`)
  })
})

interface Opened {
  readonly path: string
  readonly page: PageFile
  logged(): string
  change(content: string | Buffer): Promise<void>
  /** So much time that the file is looked at again. */
  pass(): void
}

async function opened(content: string): Promise<Opened> {
  const path = join(await folder(), "page.html")
  await writeFile(path, content)
  let nowMs = 0
  let logged = ""
  const log = pino({ level: "info" }, { write: (line) => void (logged += line) })
  const page = await PageFile.open({ path, log, now: () => nowMs })
  return {
    path,
    page,
    logged: () => logged,
    change: async (next) => {
      await writeFile(path, next)
      await utimes(path, 1, 1) // a change within one tick of the file system's clock must count as well
      nowMs += 2000
    },
    pass: () => (nowMs += 2000),
  }
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "restante-test-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
