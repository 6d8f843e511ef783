// Known tunnels in a file: kept over a restart, and what becomes of a file that is broken or changed by a command.
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { until } from "../../../../test/support/until.ts"
import { FileTunnelStore } from "../../src/routing/file-tunnel-store.ts"
import { KnownTunnels } from "../../src/routing/known-tunnels.ts"
import { tunnelsText } from "../../src/routing/tunnels-file.ts"
import { temporaryDirectory } from "../cli/stand-ins.ts"
import { recordedLog } from "../support/log.ts"

const shop = { name: "shop", routes: ["shop.example"], stripPrefix: false }

async function started(
  directory: string,
  served: ReadonlySet<string> = new Set(),
): Promise<{ readonly known: KnownTunnels; readonly log: ReturnType<typeof recordedLog> }> {
  const log = recordedLog()
  const known = new KnownTunnels({
    store: new FileTunnelStore({ path: join(directory, "tunnels.json"), log: log.log }),
    domain: undefined,
    isServed: (tunnel) => served.has(tunnel),
    onTaken: () => {},
  })
  onTestFinished(() => known.stop())
  await known.start()
  return { known, log }
}

test("what was claimed is known at the next start", async () => {
  const directory = await temporaryDirectory()
  const first = await started(directory)
  first.known.claim(shop)
  await first.known.stop()
  const second = await started(directory)
  expect([...second.known.all]).toEqual([shop])
})

test("the file is its owner's alone, and nothing else is left beside it", async () => {
  const directory = await temporaryDirectory()
  const { known } = await started(directory)
  known.claim(shop)
  await known.stop()
  expect([(await stat(join(directory, "tunnels.json"))).mode & 0o777, await readdir(directory)]).toEqual([
    0o600,
    ["tunnels.json"],
  ])
})

test.each([
  ["is not JSON", '{"version":1,"tunn'],
  ["holds something else", '{"version":1,"tunnels":[{"name":"Not A Name"}]}'],
])("a file that %s is put aside with a line in the log, and the edge goes on", async (_how, text) => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, "tunnels.json"), text)
  const { known, log } = await started(directory)
  known.claim(shop)
  await known.stop()
  expect(await readFile(join(directory, "tunnels.json.broken"), "utf8")).toBe(text)
  expect(log.text()).toContain("is put aside")
  expect([...(await started(directory)).known.all]).toEqual([shop])
})

test("a tunnel that a command takes out of the file is forgotten while the edge runs", async () => {
  const directory = await temporaryDirectory()
  const { known } = await started(directory)
  known.claim(shop)
  const path = join(directory, "tunnels.json")
  await until("it to be written", async () => (await readFile(path, "utf8").catch(() => "")).includes("shop"))
  await writeFile(path, tunnelsText([]))
  await until("it to be forgotten", () => [...known.all].length === 0)
  expect(known.claim({ ...shop, name: "other" })).toEqual({ kind: "granted" })
})

test("a tunnel that an agent serves at the moment cannot be taken out", async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, "tunnels.json")
  const { known } = await started(directory, new Set(["shop"]))
  known.claim(shop)
  await until("it to be written", async () => (await readFile(path, "utf8").catch(() => "")).includes("shop"))
  await writeFile(path, tunnelsText([]))
  await until("it to be there again", async () => (await readFile(path, "utf8")).includes("shop"))
  expect([...known.all]).toEqual([shop])
})

test("a route that another tunnel has is refused, and named", async () => {
  const { known } = await started(await temporaryDirectory())
  known.claim(shop)
  expect(known.claim({ name: "rival", routes: ["a.example", "shop.example"], stripPrefix: false })).toEqual({
    kind: "taken",
    route: "shop.example",
  })
})
