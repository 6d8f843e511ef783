// Heads that look odd and mean one thing: they pass, byte for byte, and what is behind them is the next request. A proxy that
// refused or "repaired" them would be one more reader with an opinion of its own.
import { type AbuseCase, asked, bytesFrom, passes, shown, smuggled } from "./abuse-case.ts"

const lines = (...all: readonly string[]): string => `${all.join("\r\n")}\r\n\r\n`
const get = (...fields: readonly string[]): string => lines("GET /abuse HTTP/1.1", "Host: a", ...fields)

export const clearCases: readonly AbuseCase[] = [
  ...bytesFrom(0x21, 0x7e)
    .filter((byte) => byte !== "#")
    .map((byte) => {
      const target = `/ab${byte}use`
      return passes(
        `a target with "${shown(byte)}"`,
        `${lines(`GET ${target} HTTP/1.1`, "Host: a")}${smuggled}`,
        asked("GET", target),
        asked("GET", "/smuggled"),
      )
    }),
  ...bytesFrom(0x80, 0xff).map((byte) =>
    passes(
      `a value with "${shown(byte)}"`,
      `${get(`X: y${byte}z`)}${smuggled}`,
      asked("GET", "/abuse"),
      asked("GET", "/smuggled"),
    ),
  ),
  ...[
    ...[
      "//",
      "//evil.example/x",
      "///",
      "/..",
      "/../..",
      "/./",
      "/%2e%2e/",
      "/%00",
      "/%0d%0aX:%20y",
      "/%0aGET%20/smuggled",
      "/%",
      "/%zz",
    ],
    ...[
      "/a;b=c",
      "/a?b?c",
      "/?",
      "/?x=http://evil/",
      "/@evil",
      "/:80",
      "/\\evil",
      "/a%2Fb",
      "/a//b",
      "/%23",
      "/%u0041",
      "/?%0d%0a",
    ],
    ...[
      "/http://evil/",
      "/{}",
      "/|",
      "/^",
      '/"',
      "/<x>",
      "/`",
      "/~",
      "/[x]",
      "/a=b&c",
      "/HTTP/1.1",
      "/%20HTTP/1.1",
    ],
  ].map((target) =>
    passes(
      `the target ${target}`,
      `${lines(`GET ${target} HTTP/1.1`, "Host: a")}${smuggled}`,
      asked("GET", target),
      asked("GET", "/smuggled"),
    ),
  ),
  ...[
    ["http://evil.example/abuse", "/abuse"],
    ["http://evil.example", "/"],
    ["http://evil.example?x=1", "/?x=1"],
    ["HTTP://EVIL.example:81/a//b?c", "/a//b?c"],
    ["https://evil.example/x", "/x"],
    ["http://a//evil.example/", "//evil.example/"],
    ["http://[::1]:9/x", "/x"],
    ["http://a/http://b/", "/http://b/"],
  ].map(([target = "", origin = ""]) =>
    passes(
      `the absolute form ${target}`,
      `${lines(`GET ${target} HTTP/1.1`, "Host: a")}${smuggled}`,
      asked("GET", origin),
      asked("GET", "/smuggled"),
    ),
  ),
  ...["PRI", "get", "Get", "HTTP", "X", "!", "GET.", "-", "QUERY", "POST_", "1", "PROPFIND"].map((method) =>
    passes(`the method ${method}`, lines(`${method} /abuse HTTP/1.1`, "Host: a"), asked(method, "/abuse")),
  ),
  ...["a,b", "*", "a;b", "(a)", "!", "a=b", "a.", ".a", "-", "_", "%41", "A:", "a:0", "a:99999999"].map(
    (host) => passes(`Host: ${host}`, lines("GET /abuse HTTP/1.1", `Host: ${host}`), asked("GET", "/abuse")),
  ),
  passes("eight empty lines in front", `${"\r\n".repeat(8)}${get()}`, asked("GET", "/abuse")),
]
