// Who is let in, on what grounds, and what a change of the file does.
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Secret } from "@restante/protocol"
import { describe, expect, onTestFinished, test } from "vitest"
import { until } from "../../../../test/support/until.ts"
import { Credentials } from "../../src/credentials/credentials.ts"
import {
  allowsRoute,
  allowsTunnel,
  makeToken,
  type NamedToken,
  tokenDigest,
} from "../../src/credentials/named-token.ts"
import { temporaryDirectory } from "../cli/stand-ins.ts"
import { recordedLog } from "../support/log.ts"

const own = "the-operators-own-token"
const startedAt = Date.parse("2026-11-21T12:00:00Z")

class Desk {
  now = startedAt
  changes = 0
  readonly log = recordedLog()
  readonly file: string
  readonly credentials: Credentials

  constructor(directory: string) {
    this.file = join(directory, "tokens.json")
    this.credentials = new Credentials({
      token: new Secret(own),
      file: this.file,
      clock: { now: () => this.now },
      log: this.log.log,
      onChange: () => this.changes++,
    })
    onTestFinished(() => this.credentials.stop())
  }

  write(...tokens: readonly NamedToken[]): Promise<void> {
    return writeFile(this.file, JSON.stringify({ version: 1, tokens }))
  }
}

async function desk(): Promise<Desk> {
  return new Desk(await temporaryDirectory())
}

function entry(fields: Partial<NamedToken> = {}): { readonly text: string; readonly kept: NamedToken } {
  const { id, token } = makeToken()
  const text = token.reveal()
  const sha256 = tokenDigest(text).toString("hex")
  return {
    text,
    kept: {
      id,
      name: "shop",
      sha256,
      tunnels: ["shop"],
      allow: [],
      createdAt: "2026-11-01T00:00:00Z",
      ...fields,
    },
  }
}

test("the operator's own token opens every tunnel", async () => {
  const { credentials } = await desk()
  expect(credentials.check(own)).toMatchObject({ name: "default", tunnels: ["*"] })
})

test("a named token is let in with what it allows", async () => {
  const place = await desk()
  const { text, kept } = entry()
  await place.write(kept)
  await place.credentials.start()
  expect(place.credentials.check(text)).toMatchObject({ name: "shop", tunnels: ["shop"] })
})

describe("nobody is let in", () => {
  test.each([
    [
      "with the right id and another secret",
      (text: string) => `${text.slice(0, -1)}${text.endsWith("A") ? "B" : "A"}`,
    ],
    ["with the id alone", (text: string) => text.slice(0, 17)],
    ["with more behind it", (text: string) => `${text}x`],
    ["with nothing", () => ""],
    ["with the hash that is kept", (text: string) => tokenDigest(text).toString("hex")],
  ])("%s", async (_how, change) => {
    const place = await desk()
    const { text, kept } = entry()
    await place.write(kept)
    await place.credentials.start()
    expect(place.credentials.check(change(text))).toBeUndefined()
  })

  test("once the token has expired, and whom it let in may not stay", async () => {
    const place = await desk()
    const { text, kept } = entry({ expiresAt: "2026-11-21T12:00:10Z" })
    await place.write(kept)
    await place.credentials.start()
    const before = [place.credentials.check(text)?.name, place.credentials.allows(kept.id, "shop")]
    const changes = place.changes
    place.now += 10_000
    await until("the sessions to be looked through", () => place.changes > changes)
    expect(before).toEqual(["shop", true])
    expect([place.credentials.check(text), place.credentials.allows(kept.id, "shop")]).toEqual([
      undefined,
      false,
    ])
  })
})

describe("a file that changes", () => {
  test("to one with fewer tunnels narrows what a session may serve", async () => {
    const place = await desk()
    const { kept } = entry({ tunnels: ["shop", "blog"] })
    await place.write(kept)
    await place.credentials.start()
    const before = place.credentials.allows(kept.id, "blog")
    await place.write({ ...kept, tunnels: ["shop"] })
    await until("it to be read", () => !place.credentials.allows(kept.id, "blog"))
    expect([before, place.credentials.allows(kept.id, "shop")]).toEqual([true, true])
  })

  test("to something broken changes nothing, and is told once", async () => {
    const place = await desk()
    const { text, kept } = entry()
    await place.write(kept)
    await place.credentials.start()
    await writeFile(place.file, '{"version":1,"tokens":[{"id":"')
    await until("it to be told", () => place.log.text().includes("cannot be used"))
    expect([place.credentials.check(text)?.name, place.log.text().includes(kept.sha256)]).toEqual([
      "shop",
      false,
    ])
  })

  test("and is gone for good leaves no named token", async () => {
    const place = await desk()
    const { text, kept } = entry()
    await place.write(kept)
    await place.credentials.start()
    await rm(place.file)
    await until("it to be noticed", () => place.credentials.check(text) === undefined)
    expect(place.credentials.check(own)?.name).toBe("default")
  })
})

test.each([
  [["*"], "any", true],
  [["shop"], "shop", true],
  [["shop"], "shop-2", false],
  [["shop*"], "shop", true],
  [["shop-*"], "shop-2", true],
  [["shop-*"], "shop", false],
  [["a", "b"], "b", true],
  [[], "a", false],
])("a token for %j and the tunnel %s: %s", (patterns, tunnel, allowed) => {
  expect(allowsTunnel(patterns, tunnel)).toBe(allowed)
})

describe("a route", () => {
  test.each([
    [{ tunnels: ["*"] }, "shop.example"],
    [{ tunnels: ["shop"], routes: ["*"] }, "/api"],
    [{ tunnels: ["shop"], routes: ["shop.example"] }, "shop.example"],
    [{ tunnels: ["shop"], routes: ["shop.example"] }, "shop.example/api"],
    [{ tunnels: ["shop"], routes: ["*.shop.example"] }, "a.b.shop.example"],
    [{ tunnels: ["shop"], routes: ["*.shop.example"] }, "*.a.shop.example/x"],
    [{ tunnels: ["shop"], routes: ["*.shop.example"] }, "*.shop.example"],
    [{ tunnels: ["shop"], routes: ["/api"] }, "shop.example/api/v1"],
  ])("within what the token allows may be had: %j allows %s", (allowed, route) => {
    expect(allowsRoute(allowed, route)).toBe(true)
  })

  test.each([
    [{ tunnels: ["shop"] }, "shop.example"],
    [{ tunnels: ["shop-*"] }, "shop-1.example"],
    [{ tunnels: ["*"], routes: ["shop.example"] }, "other.example"],
    [{ tunnels: ["*"], routes: [] }, "shop.example"],
    [{ tunnels: ["shop"], routes: ["shop.example/api"] }, "shop.example"],
    [{ tunnels: ["shop"], routes: ["shop.example/api"] }, "shop.example/apix"],
    [{ tunnels: ["shop"], routes: ["*.shop.example"] }, "shop.example"],
    [{ tunnels: ["shop"], routes: ["*.shop.example"] }, "evilshop.example"],
    [{ tunnels: ["shop"], routes: ["shop.example"] }, "*.shop.example"],
    [{ tunnels: ["shop"], routes: ["a.shop.example"] }, "*.shop.example"],
    [{ tunnels: ["shop"], routes: ["shop.example/api"] }, "/api"],
    [{ tunnels: ["shop"], routes: ["/api"] }, "shop.example"],
  ])("beyond what the token allows may not be had: %j does not allow %s", (allowed, route) => {
    expect(allowsRoute(allowed, route)).toBe(false)
  })
})

test("a session's routes count as well when the file narrows what its token allows", async () => {
  const place = await desk()
  const { kept } = entry({ routes: ["shop.example"] })
  await place.write(kept)
  await place.credentials.start()
  const before = place.credentials.allows(kept.id, "shop", ["shop.example"])
  await place.write({ ...kept, routes: ["other.example"] })
  await until("the file to be read again", () => place.changes > 1)
  expect([before, place.credentials.allows(kept.id, "shop", ["shop.example"])]).toEqual([true, false])
})
