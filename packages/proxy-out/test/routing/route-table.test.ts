// Which tunnel a request is for: the rules one by one, and the table against an oracle that looks at every route.
import {
  array,
  assert,
  boolean,
  constantFrom,
  option,
  property,
  record,
  tuple,
  uniqueArray,
} from "fast-check"
import { describe, expect, test } from "vitest"
import { RouteTable, withoutPrefix } from "../../src/routing/route-table.ts"
import type { KnownTunnel } from "../../src/routing/route-table.ts"
import { matchSlowly } from "./oracle.ts"

function tunnel(name: string, routes: readonly string[] = [], stripPrefix = false): KnownTunnel {
  return { name, routes, stripPrefix }
}

function table(domain: string | undefined, ...tunnels: readonly KnownTunnel[]): RouteTable {
  const made = new RouteTable({ domain })
  for (const one of tunnels) made.set(one)
  return made
}

describe("with routes of every kind", () => {
  const routes = table(
    undefined,
    tunnel("default"),
    tunnel("exact", ["shop.example"]),
    tunnel("exact-api", ["shop.example/api", "shop.example/api/v2/deep"]),
    tunnel("wild", ["*.example"]),
    tunnel("wilder", ["*.eu.example"]),
    tunnel("api", ["/api"]),
    tunnel("blog"),
  )

  test.each([
    ["shop.example", "/", "exact"],
    ["SHOP.example.:8443", "/", "exact"],
    ["shop.example", "/api", "exact-api"],
    ["shop.example", "/api/", "exact-api"],
    ["shop.example", "/api/x", "exact-api"],
    ["shop.example", "/api?x", "exact-api"],
    ["shop.example", "/apix", "exact"],
    ["shop.example", "/API", "exact"],
    ["shop.example", "//api", "exact"],
    ["shop.example", "/%61pi", "exact"],
    ["shop.example", "/api/v2/deep/er", "exact-api"],
    ["shop.example", "/x/../api", "exact"],
    ["other.example", "/", "wild"],
    ["a.b.example", "/api", "wild"],
    ["a.eu.example", "/", "wilder"],
    ["a.b.eu.example", "/", "wilder"],
    ["eu.example", "/", "wild"],
    ["example", "/", "default"],
    ["blog.somewhere", "/", "blog"],
    ["blog.somewhere", "/api", "blog"],
    ["somewhere", "/api/x", "api"],
    ["nobody.somewhere", "/api/x", "api"],
    ["nobody.somewhere", "/", "default"],
    ["[::1]:80", "/", "default"],
    ["[::1]:80", "/api", "api"],
    ["", "/", "default"],
    [undefined, "/", "default"],
    [undefined, "*", "default"],
    [undefined, "/api", "api"],
    ["10.0.0.7", "/", "default"],
  ])("Host %s and %s are for %s", (host, target, expected) => {
    expect(routes.match(host, target)?.tunnel).toBe(expected)
  })
})

describe("where nothing matches", () => {
  test("before any tunnel was served, the request is for the default tunnel", () => {
    expect(table(undefined).match("any.example", "/")?.tunnel).toBe("default")
  })

  test("once others are known and the default tunnel is not, there is no tunnel for it", () => {
    expect(table(undefined, tunnel("blog")).match("any.example", "/")).toBeUndefined()
  })

  test("a default tunnel that has routes gets no more than these", () => {
    expect(table(undefined, tunnel("default", ["a.example"])).match("b.example", "/")).toBeUndefined()
  })

  test("a number as a host names no tunnel", () => {
    expect(table(undefined, tunnel("default"), tunnel("10")).match("10.0.0.7", "/")?.tunnel).toBe("default")
  })

  test("a tunnel that has routes is not reached by its name", () => {
    const routes = table(undefined, tunnel("default"), tunnel("blog", ["blog.example"]))
    expect(routes.match("blog.elsewhere", "/")?.tunnel).toBe("default")
  })
})

describe("with a domain", () => {
  const routes = table("edge.example", tunnel("default"), tunnel("blog"), tunnel("api", ["/api"]))

  test.each([
    ["blog.edge.example", "/", "blog"],
    ["BLOG.Edge.Example:80", "/api", "blog"],
    ["blog.elsewhere", "/", "default"],
    ["edge.example", "/", "default"],
    ["edge.example", "/api", "api"],
    ["default.edge.example", "/", "default"],
  ])("Host %s and %s are for %s", (host, target, expected) => {
    expect(routes.match(host, target)?.tunnel).toBe(expected)
  })

  test.each(["nobody.edge.example", "a.blog.edge.example", "api.edge.example"])(
    "%s is nobody's, whatever the path",
    (host) => {
      expect([routes.match(host, "/"), routes.match(host, "/api")]).toEqual([undefined, undefined])
    },
  )

  test("even before any tunnel was served, a name below it that nobody serves is nobody's", () => {
    expect(table("edge.example").match("blog.edge.example", "/")).toBeUndefined()
  })
})

describe("stripping", () => {
  test("a tunnel that wants it is told which prefix of the target to cut, others nothing", () => {
    const routes = table(undefined, tunnel("a", ["/a"], true), tunnel("b", ["/b"]))
    expect([routes.match("x", "/a/1"), routes.match("x", "/b/1")]).toEqual([
      { tunnel: "a", strip: "/a" },
      { tunnel: "b", strip: "" },
    ])
  })

  test.each([
    ["/api/x?y", "/x?y"],
    ["/api", "/"],
    ["/api/", "/"],
    ["/api?y", "/?y"],
    ["/api//x", "//x"],
    ["/api/%2e%2e/x", "/%2e%2e/x"],
  ])("%s without /api is %s", (target, rest) => {
    expect(withoutPrefix(target, "/api")).toBe(rest)
  })
})

describe("changes", () => {
  test("a host that was asked for before is routed by what is known now", () => {
    const routes = table(undefined, tunnel("default"))
    const before = routes.match("a.example", "/")?.tunnel
    routes.set(tunnel("a"))
    const between = routes.match("a.example", "/")?.tunnel
    routes.delete("a")
    expect([before, between, routes.match("a.example", "/")?.tunnel]).toEqual(["default", "a", "default"])
  })

  test("other routes of a tunnel replace the ones it had", () => {
    const routes = table(undefined, tunnel("default"), tunnel("a", ["a.example"]))
    routes.set(tunnel("a", ["b.example"]))
    expect([routes.match("a.example", "/")?.tunnel, routes.match("b.example", "/")?.tunnel]).toEqual([
      "default",
      "a",
    ])
  })

  test("a route is taken for others and free for its holder", () => {
    const routes = table(undefined, tunnel("a", ["a.example/x", "/y"]))
    expect([
      routes.taken("b", ["c.example", "/y"]),
      routes.taken("b", ["a.example"]),
      routes.taken("a", ["/y"]),
    ]).toEqual(["/y", undefined, undefined])
  })
})

const label = constantFrom("a", "b", "eu", "x-1")
const host = array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."))
const prefix = array(constantFrom("/a", "/ab", "/b", "/%61"), { maxLength: 3 }).map((parts) => parts.join(""))
const route = tuple(constantFrom("", "*."), option(host, { nil: "" }), prefix)
  .map(([star, name, path]) => (name === "" ? path : `${star}${name}${path}`))
  .filter((text) => text !== "")
const target = tuple(prefix, constantFrom("", "/", "?q", "x", "/c")).map(([path, rest]) => path + rest)
const tunnels = uniqueArray(
  record({
    name: constantFrom("default", "a", "b", "eu", "x-1", "zz"),
    routes: uniqueArray(route, { maxLength: 4 }),
    stripPrefix: boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 6 },
)

test("agrees with an oracle that compares every route, also after changes", () => {
  assert(
    property(
      tunnels,
      tunnels,
      array(tuple(option(host, { nil: undefined }), target), { minLength: 1, maxLength: 8 }),
      option(constantFrom("eu", "a.b"), { nil: undefined }),
      (before, after, requests, domain) => {
        const routes = new RouteTable({ domain })
        for (const one of before) routes.set(one)
        for (const [name, path] of requests) routes.match(name, path)
        for (const { name } of before) routes.delete(name)
        // As claims do: what is taken is refused whole.
        const known = after.filter(
          (one) => routes.taken(one.name, one.routes) === undefined && (routes.set(one), true),
        )
        for (const [name, path] of requests)
          expect(routes.match(name, path)).toEqual(matchSlowly(known, domain, name, path))
      },
    ),
    { numRuns: 2000 },
  )
})
