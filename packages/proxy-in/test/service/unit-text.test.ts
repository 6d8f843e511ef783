// What stands in a service's unit, and that no word of a command line can become anything else there.
import { describe, expect, test } from "vitest"
import { type RunsAs, type UnitPlan, unitText, unitWord } from "../../src/service/unit-text.ts"

const plan: UnitPlan = {
  description: "Restante agent wiki",
  program: ["/usr/bin/node", "/usr/lib/proxy-in.js"],
  given: [
    { kind: "word", text: "--server" },
    { kind: "word", text: "http://127.0.0.1:3000" },
    { kind: "word", text: "--token-file" },
    { kind: "file", credential: "token-file", path: "/etc/restante/my token" },
  ],
  runsAs: { kind: "dynamic" },
  needsFiles: false,
}

function linesFor(more: Partial<UnitPlan>): string[] {
  return unitText({ ...plan, ...more }).split("\n")
}

describe("a word of the command line", () => {
  test.each([
    ["--server", "--server"],
    ["http://127.0.0.1:3000/a?b=c", '"http://127.0.0.1:3000/a?b=c"'],
    ["two words", '"two words"'],
    ["100%", "100%%"],
    ["$HOME", "$$HOME"],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["; rm -rf /", '"; rm -rf /"'],
    ["", '""'],
  ])("%j is written as %s", (text, written) => {
    expect(unitWord(text)).toBe(written)
  })
})

test("a user of the service's own gets a copy of each file, and no path of it", () => {
  const lines = linesFor({})
  expect(lines).toContain(
    "ExecStart=/usr/bin/node /usr/lib/proxy-in.js --server http://127.0.0.1:3000 --token-file %d/token-file",
  )
  expect(lines).toContain("LoadCredential=token-file:/etc/restante/my token")
  expect(lines).toContain("DynamicUser=yes")
})

test.each<[string, RunsAs]>([
  ["a named user", { kind: "user", name: "www-data" }],
  ["oneself", { kind: "self" }],
])("%s reads the files where they are", (_who, runsAs) => {
  const lines = linesFor({ runsAs })
  expect(lines.find((line) => line.startsWith("ExecStart="))).toMatch(
    /--token-file "\/etc\/restante\/my token"$/,
  )
  expect(lines.join()).not.toContain("LoadCredential")
  expect(lines).not.toContain("DynamicUser=yes")
})

test("a service of one's own asks for nothing that only root's manager can do", () => {
  const lines = linesFor({ runsAs: { kind: "self" } })
  expect(lines.join()).not.toContain("Protect")
  expect(lines).toContain("WantedBy=default.target")
})

test("a private server on a socket stays visible", () => {
  expect(linesFor({ needsFiles: true }).join()).not.toMatch(/PrivateTmp|ProtectHome/)
  expect(linesFor({})).toEqual(expect.arrayContaining(["PrivateTmp=yes", "ProtectHome=yes"]))
})

test("it may take 30 s to finish, comes back when it dies, and not after a wrong command line", () => {
  expect(linesFor({})).toEqual(
    expect.arrayContaining(["TimeoutStopSec=35", "Restart=always", "RestartPreventExitStatus=2"]),
  )
})
