// proxy-out token revoke NAME: from now on this token lets nobody in, and those whom it let in are sent away.
import { command, CommandError, tunnelNamePattern } from "@restante/protocol"
import { edgeTable } from "../cli-options.ts"
import { changeTokens } from "../credentials/tokens-file.ts"
import { tokensFileOf } from "../places.ts"
import type { EdgeSurroundings } from "../surroundings.ts"

export const tokenRevoke = command({
  words: ["token", "revoke"],
  positionals: [{ name: "NAME" }],
  summary: "make a named token worthless; a running edge ends its sessions within seconds",
  options: { "tokens-file": edgeTable["tokens-file"], "data-dir": edgeTable["data-dir"] } as const,
  examples: [
    { command: "proxy-out token revoke ci", meaning: "agents that use the token ci are refused from now on" },
  ],
  async run({ values, positionals: [name = ""] }, around: EdgeSurroundings) {
    await changeTokens(tokensFileOf(values, around), (tokens) => {
      const left = tokens.filter((token) => token.name !== name)
      if (left.length < tokens.length) return left
      // What is no name may be the token itself: it is not shown.
      const called = tunnelNamePattern.test(name) ? ` ${name}` : " of this name"
      throw new CommandError("usage", `There is no token${called}. See  proxy-out token list`)
    })
    around.output.write(`Token ${name} is revoked.\n`)
    return 0
  },
})
