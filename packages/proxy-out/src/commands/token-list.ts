// proxy-out token list: the named tokens, without what they are.
import { command } from "@restante/protocol"
import { systemClock } from "../clock.ts"
import { edgeTable } from "../cli-options.ts"
import { isExpired, type NamedToken } from "../credentials/named-token.ts"
import { readTokens } from "../credentials/tokens-file.ts"
import { tokensFileOf } from "../places.ts"
import type { EdgeSurroundings } from "../surroundings.ts"
import { columns } from "./columns.ts"

export const tokenList = command({
  words: ["token", "list"],
  summary: "list the named tokens: what they allow, when they were made, when they end",
  options: { "tokens-file": edgeTable["tokens-file"], "data-dir": edgeTable["data-dir"] } as const,
  examples: [{ command: "proxy-out token list", meaning: "one line for each token" }],
  async run({ values }, around: EdgeSurroundings) {
    const file = tokensFileOf(values, around)
    const tokens = await readTokens(file)
    const now = systemClock.now()
    const rows = tokens.map((token) => [
      token.name,
      token.tunnels.join(","),
      routesText(token),
      token.allow.join(",") || "-",
      token.createdAt.slice(0, 10),
      token.expiresAt === undefined ? "never" : isExpired(token, now) ? "expired" : token.expiresAt,
    ])
    around.output.write(
      rows.length === 0
        ? "There are no named tokens. Make one with  proxy-out token create NAME\n"
        : columns(["NAME", "TUNNELS", "ROUTES", "PORTS", "CREATED", "EXPIRES"], rows),
    )
    return 0
  },
})

function routesText({ tunnels, routes = tunnels.filter((name) => name === "*") }: NamedToken): string {
  return routes.length === 0 ? "-" : routes.join(",")
}
