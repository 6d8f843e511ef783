// Every command in the documentation is run, page by page and in order, with the real programs.
//
// What stands behind ```sh says how:
//   (nothing)         runs to its end with exit status 0, or that of exit=N
//   keeps, keeps=PORT keeps running from here on: a proxy-out that listens, a proxy-in that is attached, or what answers at PORT
//   waits             starts here, waits for what comes later, and has ended well by the end of the page
//   interrupts=NAME   Ctrl-C for that program first
//   needs=WHAT        cannot run here (docker, kubernetes, systemd, a quiet quarter of an hour): syntax and options are checked
//   tested=FILE       that test runs it
// A block ```text output right behind one is what it prints; … stands for anything, alone on a line for any lines.
// A block with file=NAME is written into the folder where the commands run.
import { existsSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test, vi } from "vitest"
import { type Block, type Page, readPages, root } from "./pages.ts"
import { type Outcome, Shell } from "./shell.ts"
import { type Scenery, Stage } from "./stage.ts"
import { checksOf, missingScripts } from "./unrunnable.ts"

vi.setConfig({ testTimeout: 120_000 })

const sceneries: Readonly<Record<string, Scenery>> = {
  "docs/agent-metrics.md": { edge: true, servers: [3000] },
  "docs/install.md": { clone: true },
  "docs/tls.md": { tls: true, servers: [3000] },
  "docs/corporate-proxy.md": { edge: true, servers: [3000], forwardProxy: true },
  "docs/configuration.md": { edge: true, servers: [3000, 4000] },
  "docs/tunnels.md": { edge: true, servers: [3000, 4000] },
  "docs/webhooks.md": { edge: true, servers: [3000] },
  "README.md": { servers: [8080] },
  "docs/troubleshooting.md": { edge: true, servers: [3000] },
  "docs/observability.md": { edge: true, agent: true, servers: [3000] },
}

const pages = readPages()
const isCommands = ({ language }: Block): boolean => language === "sh"

test.each(pages.filter(({ blocks }) => blocks.some(isCommands)).map((page) => [page.path, page] as const))(
  "the commands of %s do what it says",
  async (path, page) => {
    await using stage = await Stage.build(sceneries[path] ?? {})
    await using shell = new Shell(stage)
    const waiting: (() => Promise<void>)[] = []
    for (const [index, block] of page.blocks.entries()) {
      const place = `${path}:${block.line}`
      const next = page.blocks[index + 1]
      const shown = next?.labels.has("output") === true ? next.text : undefined
      const file = block.labels.get("file")
      if (file !== undefined) await writeFile(join(stage.folder, file), stage.fit(block.text))
      if (!isCommands(block)) continue
      const said = shown === undefined ? anything : patternOf(shown)
      const judge = (outcome: Outcome): void => {
        const output = stage.asWritten(outcome.output)
        const matching: unknown = expect.stringMatching(said)
        const code = Number(block.labels.get("exit") ?? 0)
        expect([place, outcome.code, output]).toEqual([place, code, matching])
      }
      const interrupted = block.labels.get("interrupts")
      if (interrupted !== undefined) await shell.interrupt(interrupted)
      if (block.labels.has("tested")) await expectTested(block)
      else if (block.labels.has("needs")) await expectSound(block, shell, place)
      else if (block.labels.has("keeps")) await shell.keep(block.text, keptPort(block, stage), said)
      else if (block.labels.has("waits")) waiting.push(startsWaiting(shell.wait(block.text), judge))
      else judge(await shell.run(block.text))
    }
    for (const ends of waiting) await ends()
  },
)

test("every command stands in a block that is run", () => {
  const program = /^\s*(?:\$ )?(?:sudo )?(?:proxy-(?:in|out)|curl|npm|npx|docker|kubectl|systemctl)\s/m
  const elsewhere = pages.flatMap(({ path, blocks }) =>
    blocks
      .filter((block) => !isCommands(block) && !block.labels.has("output") && program.test(block.text))
      .map((block) => `${path}:${block.line}`),
  )
  expect(elsewhere).toEqual([])
})

test("no page needs a scenery that is not there", () => {
  const paths = new Set(pages.map(({ path }: Page) => path))
  expect(Object.keys(sceneries).filter((path) => !paths.has(path))).toEqual([])
})

function keptPort(block: Block, stage: Stage): number | undefined {
  const port = block.labels.get("keeps") ?? ""
  return port === "" ? undefined : stage.port(Number(port))
}

/** What has to be asked at the page's end. */
function startsWaiting(outcome: Promise<Outcome>, judge: (outcome: Outcome) => void): () => Promise<void> {
  return async () => judge(await outcome)
}

async function expectTested(block: Block): Promise<void> {
  const file = join(root, block.labels.get("tested") ?? "")
  expect(existsSync(file) ? readFileSync(file, "utf8") : file).toContain("test(")
  expect(missingScripts(block.text)).toEqual([])
}

async function expectSound(block: Block, shell: Shell, place: string): Promise<void> {
  expect([place, missingScripts(block.text)]).toEqual([place, []])
  for (const check of [`bash -n <<'BLOCK'\n${block.text}\nBLOCK`, ...checksOf(block.text)]) {
    const { code, output } = await shell.run(check)
    const said = `${place}: ${check}\n${output}`
    expect([code, said]).toEqual([0, said])
  }
}

const anything = /^/

function patternOf(shown: string): RegExp {
  const lines = shown.split("\n").map((line) => {
    if (line.trim() === "…") return "(?:.*\n)*?"
    return `${line.split("…").map(quoted).join(".*")}\\s*\n`
  })
  return new RegExp(`^${lines.join("")}\\s*$`)
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ +/g, " +")
}
