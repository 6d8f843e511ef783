// proxy-out token create NAME: makes a named token, prints it this once, and keeps its hash.
import {
  command,
  CommandError,
  duration,
  listItems,
  parseRoute,
  routeForms,
  routeText,
  shown,
  tunnelNamePattern,
} from "@restante/protocol"
import type { PortKind } from "@restante/protocol"
import { systemClock } from "../clock.ts"
import { edgeTable } from "../cli-options.ts"
import { makeToken, tokenDigest, tunnelPattern } from "../credentials/named-token.ts"
import { changeTokens, maxPatterns, maxTokens } from "../credentials/tokens-file.ts"
import { parsePortRange } from "../ports/port-range.ts"
import { tokensFileOf } from "../places.ts"
import type { EdgeSurroundings } from "../surroundings.ts"

const dayMs = 86_400_000
const mostDays = 3650
const maxPortRanges = 40

const options = {
  tunnels: {
    group: "What it allows",
    placeholder: "NAMES",
    help: "tunnels that it opens, with commas between them: names, PREFIX* for all that begin so, * for all",
    default: "*",
    read: parsePatterns,
  },
  routes: {
    group: "What it allows",
    placeholder: "ROUTES",
    help:
      "routes that these tunnels may have, with commas between them, and whatever lies within one: as in shop.example.com,*.dev.example.com; " +
      "* for any. Without it any when it opens every tunnel, else none: they are reached by their names",
    read: parseRoutes,
  },
  tcp: {
    group: "What it allows",
    placeholder: "PORTS",
    help: "TCP ports of the edge that it may have, of those of --tcp-ports: as in 20000-20010,20022, or * for all; without it none",
    read: (text: string): readonly string[] => parsePorts(text, "tcp"),
  },
  udp: {
    group: "What it allows",
    placeholder: "PORTS",
    help: "the same for UDP ports, of those of --udp-ports; without it none",
    read: (text: string): readonly string[] => parsePorts(text, "udp"),
  },
  expires: {
    group: "What it allows",
    placeholder: "DURATION",
    help: `how long it is valid, as in 90d or 12h, up to ${mostDays}d; without it until it is revoked`,
    ...duration({ leastMs: 1000, mostMs: mostDays * dayMs }),
  },
  "tokens-file": edgeTable["tokens-file"],
  "data-dir": edgeTable["data-dir"],
} as const

export const tokenCreate = command({
  words: ["token", "create"],
  positionals: [{ name: "NAME" }],
  summary: "make a token that lets agents in to certain tunnels, and print it this once",
  options,
  examples: [
    {
      command: "proxy-out token create shop --tunnels shop,shop-* > shop.token",
      meaning: "for the tunnel shop and its variants",
    },
    {
      command: "proxy-out token create web --tunnels web --routes www.example.com,*.www.example.com",
      meaning: "the tunnel web may have routes for this host and those below it",
    },
    {
      command: "proxy-out token create office --tunnels office --tcp 20000-20010",
      meaning: "also for TCP ports of the edge",
    },
    {
      command: "proxy-out token create ci --tunnels 'preview-*' --expires 90d",
      meaning: "ends by itself after 90 days",
    },
  ],
  notes: ["The token is all that goes to standard output. A running edge knows it within a second."],
  async run({ values, positionals: [name = ""] }, around: EdgeSurroundings) {
    if (!tunnelNamePattern.test(name)) {
      throw new CommandError(
        "usage",
        "NAME is not a token's name. Use 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends.",
      )
    }
    const file = tokensFileOf(values, around)
    const now = systemClock.now()
    const { id, token } = makeToken()
    const expiresAt = values.expires === undefined ? undefined : new Date(now + values.expires).toISOString()
    await changeTokens(file, (tokens) => {
      if (tokens.some((one) => one.name === name))
        throw new CommandError(
          "usage",
          `There is a token ${name} already. Choose another name, or revoke that one first.`,
        )
      if (tokens.length >= maxTokens)
        throw new CommandError("startup", `There are ${maxTokens} tokens already. Revoke some first.`)
      return [
        ...tokens,
        {
          id,
          name,
          sha256: tokenDigest(token.reveal()).toString("hex"),
          tunnels: values.tunnels,
          routes: values.routes,
          allow: [...(values.tcp ?? []), ...(values.udp ?? [])],
          createdAt: new Date(now).toISOString(),
          expiresAt,
        },
      ]
    })
    around.output.write(`${token.reveal()}\n`)
    const routes = values.routes === undefined ? "" : ` with the routes ${values.routes.join(", ")}`
    const until = expiresAt === undefined ? "until it is revoked" : `until ${expiresAt}`
    around.errors.write(
      `Token ${name} opens ${tunnelsText(values.tunnels)}${routes} ${until}. It is shown this once; ${shown(file)} keeps its hash.\n`,
    )
    return 0
  },
})

function parsePatterns(text: string): readonly string[] {
  const patterns = [...new Set(text.split(",").map((pattern) => pattern.trim()))]
  const wrong = patterns.find((pattern) => !tunnelPattern.test(pattern))
  if (wrong !== undefined)
    throw new CommandError(
      "usage",
      `${shown(wrong)} is no tunnel's name. Write names, PREFIX* or *, with commas between them.`,
    )
  if (patterns.length > maxPatterns)
    throw new CommandError("usage", `These are more than ${maxPatterns} names. Use PREFIX*.`)
  return patterns
}

function parsePorts(text: string, kind: PortKind): readonly string[] {
  const parts = listItems(text)
  const wrong = parts.find((part) => part !== "*" && parsePortRange(part) === undefined)
  if (wrong !== undefined || parts.length > maxPortRanges || parts.length === 0)
    throw new CommandError(
      "usage",
      `${shown(wrong ?? text)} is not possible. Write up to ${maxPortRanges} ports or ranges as in 20000-20010,20022, or *.`,
    )
  return parts.map((part) => `${kind}:${part}`)
}

function parseRoutes(text: string): readonly string[] {
  const routes = listItems(text).map((one) => {
    if (one === "*") return one
    const route = parseRoute(one)
    if (route !== undefined) return routeText(route)
    throw new CommandError(
      "usage",
      `${shown(one)} is no route. Write ${routeForms}, or *, with commas between them.`,
    )
  })
  if (routes.length > 0 && routes.length <= maxPatterns) return [...new Set(routes)]
  throw new CommandError("usage", `Give 1 to ${maxPatterns} routes, with commas between them.`)
}

function tunnelsText(patterns: readonly string[]): string {
  return patterns.includes("*") ? "every tunnel" : `the tunnels ${patterns.join(", ")}`
}
