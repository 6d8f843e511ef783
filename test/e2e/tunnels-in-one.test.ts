// One proxy-in that serves several tunnels from its file, each with a private server of its own.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { startEdge, token } from "../support/pair.ts"
import { Program } from "../support/program.ts"
import { until } from "../support/until.ts"
import { closedPort, httpUpstream } from "../support/upstream.ts"

test("each tunnel reaches its own private server, and one that is down does not hinder the other", async () => {
  await using shop = await httpUpstream((_request, response) => response.end("shop"))
  await using edge = await startEdge()
  await using folder = await temporaryFolder()
  const file = join(folder.path, "proxy-in.yaml")
  await writeFile(
    file,
    `external: ${edge.url}
port: 0
tunnels:
  shop:
    server: ${shop.url}
  blog:
    server: http://127.0.0.1:${await closedPort()}
`,
  )
  await using agent = new Program({ name: "proxy-in", args: ["--config", file], token })
  const page = await agent.line(/^Status on (http:\/\/127\.0\.0\.1:\d+\/)$/)
  await until("both to be attached", async () => (await fetchWhole(`${page}readyz`)).status === 200)
  const ask = (name: string): ReturnType<typeof fetchWhole> =>
    fetchWhole(edge.url, { headers: { host: `${name}.example` } })
  expect((await ask("shop")).text).toBe("shop")
  expect((await ask("blog")).status).toBe(502)
  expect((await ask("shop")).text).toBe("shop")
  const status: unknown = JSON.parse((await fetchWhole(`${page}status.json`)).text)
  expect(status).toMatchObject({
    tunnel: "shop",
    tunnels: [
      { tunnel: "shop", upstreamUp: true, requests: { served: 2, failed: 0 } },
      { tunnel: "blog", upstreamUp: false, requests: { served: 0, failed: 1 } },
    ],
  })
})
