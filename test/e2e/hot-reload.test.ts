// A Vite dev server behind the pair: a browser gets a changed module over Vite's own WebSocket, without being told to reload.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createServer } from "vite"
import { expect, test } from "vitest"
import { startTab } from "../support/browser.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startPair, transports } from "../support/pair.ts"
import { until } from "../support/until.ts"

/** A browser takes its time to start on a busy machine. */
const waitMs = 60_000

const page = '<!doctype html><p id="text"></p><script type="module" src="/main.js"></script>'
const main = `import { text } from "./text.js"
const show = (now) => (document.getElementById("text").textContent = now)
show(text)
import.meta.hot.accept("./text.js", (changed) => show(changed.text))
`

test.each(transports)(
  "over %s an edited file shows in the browser without a reload",
  { timeout: 240_000 },
  async (transport) => {
    await using folder = await temporaryFolder()
    const file = (name: string): string => join(folder.path, name)
    await writeFile(file("index.html"), page)
    await writeFile(file("main.js"), main)
    await writeFile(file("text.js"), 'export const text = "before"\n')
    const vite = await createServer({
      root: folder.path,
      configFile: false,
      logLevel: "silent",
      cacheDir: file(".vite"),
      server: { host: "127.0.0.1", port: 0, watch: { usePolling: true, interval: 50 } },
    })
    await vite.listen()
    try {
      const server = String(vite.resolvedUrls?.local[0]).replace(/\/$/, "")
      await using pair = await startPair({ server, transport })
      await using tab = await startTab()
      const shown = (): Promise<unknown> => tab.evaluate('document.getElementById("text").textContent')
      await tab.open(pair.url)
      await until("Vite's WebSocket", () => tab.webSocketMessages.includes('{"type":"connected"}'), waitMs)
      await until("the page", async () => (await shown()) === "before", waitMs)
      await until(
        "Vite to watch the file",
        () => vite.watcher.getWatched()[folder.path]?.includes("text.js"),
        waitMs,
      )
      const loadedAt = await tab.evaluate("performance.timeOrigin")
      await writeFile(file("text.js"), 'export const text = "after"\n')
      await until("the page to show what was written", async () => (await shown()) === "after", waitMs)
      expect(await tab.evaluate("performance.timeOrigin")).toBe(loadedAt)
      expect(tab.webSockets.map((url) => new URL(url).host)).toEqual([`127.0.0.1:${pair.port}`])
    } finally {
      await vite.close()
    }
  },
)
