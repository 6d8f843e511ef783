// Which proxy the environment means for an edge, and what is told of a wrong one.
import { describe, expect, test } from "vitest"
import { environmentProxy, parseForwardProxy, proxyText } from "../../src/attach/forward-proxy.ts"

const secure = new URL("https://edge.example")
const plain = new URL("http://edge.example")

describe("of the environment's variables", () => {
  const cases: readonly [what: string, URL, Record<string, string>, chosen: string | undefined][] = [
    ["HTTPS_PROXY is an https edge's", secure, { HTTPS_PROXY: "http://a:1", HTTP_PROXY: "http://b:1" }, "a"],
    ["HTTP_PROXY is an http edge's", plain, { HTTPS_PROXY: "http://a:1", HTTP_PROXY: "http://b:1" }, "b"],
    ["lower case wins", secure, { HTTPS_PROXY: "http://a:1", https_proxy: "http://b:1" }, "b"],
    ["ALL_PROXY is for both", plain, { ALL_PROXY: "http://a:1" }, "a"],
    [
      "the scheme's own wins over all_proxy",
      secure,
      { all_proxy: "http://a:1", HTTPS_PROXY: "http://b:1" },
      "b",
    ],
    ["an empty one counts as none", secure, { https_proxy: "", HTTPS_PROXY: "http://a:1" }, "a"],
    ["NO_PROXY takes the edge out", secure, { HTTPS_PROXY: "http://a:1", NO_PROXY: "example" }, undefined],
    ["no_proxy looks at the port", secure, { HTTPS_PROXY: "http://a:1", no_proxy: "edge.example:80" }, "a"],
    ["none leads to none", secure, { HTTP_PROXY: "http://a:1" }, undefined],
  ]
  test.each(cases)("%s", (_what, external, environment, chosen) => {
    expect(environmentProxy(external, environment)?.host).toBe(chosen)
  })

  test("one that is wrong is named, and its value is not shown", () => {
    const wrong = (): unknown => environmentProxy(secure, { HTTPS_PROXY: "socks5://jane:hidden@a:1" })
    expect(wrong).toThrow(
      "HTTPS_PROXY: SOCKS proxies are not supported: give an http:// or https:// one. Or give --proxy none to go without.",
    )
  })
})

describe("a proxy's URL", () => {
  test.each([
    ["http://proxy.example:3128", "http://proxy.example:3128"],
    ["proxy.example:3128", "http://proxy.example:3128"],
    ["http://proxy.example", "http://proxy.example:80"],
    ["https://proxy.example/", "https://proxy.example:443"],
    ["http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"],
    ["http://jane:secret@proxy.example:3128", "http://proxy.example:3128"],
  ])("%s is told as %s", (text, told) => {
    expect(proxyText(parseForwardProxy(text, "--proxy"))).toBe(told)
  })

  test.each([
    ["http://jane:s%40fe@a:1", "jane:s@fe"],
    ["http://jane@a:1", "jane:"],
    ["http://j%C3%BCrgen:x@a:1", "jürgen:x"],
    ["jane:x@a:1", "jane:x"],
  ])("%s holds the credentials %s", (text, credentials) => {
    expect(parseForwardProxy(text, "--proxy").credentials?.reveal()).toBe(credentials)
  })

  test.each([
    ["with a path", "http://a:1/path"],
    ["with a query", "http://a:1?x"],
    ["without a host", "http://"],
    ["with a port out of range", "http://a:99999"],
    ["of another scheme", "ftp://a:1"],
    ["of a SOCKS proxy", "socks5h://a:1"],
    ["with a broken percent-encoding", "http://jane:%zz-hidden@a:1"],
    ["with a colon in the user's name", "http://ja%3Ane:hidden@a:1"],
    ["with a line break in the password", "http://jane:hidden%0d%0aX@a:1"],
  ])("%s is refused without being shown", (_what, text) => {
    expect(() => parseForwardProxy(text, "--proxy")).toThrow(
      /^(?!.*hidden).*(?:Write|supported|percent-encoded)/,
    )
  })
})
