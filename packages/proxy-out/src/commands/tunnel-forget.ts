// proxy-out tunnel forget NAME: requests for it are not held any more, and its routes are free for others.
import { command, CommandError, shown } from "@restante/protocol"
import { edgeTable } from "../cli-options.ts"
import type { EdgeSurroundings } from "../surroundings.ts"
import { knownTunnelsOf } from "./tunnels-place.ts"

export const tunnelForget = command({
  words: ["tunnel", "forget"],
  positionals: [{ name: "NAME" }],
  summary: "forget a tunnel: its requests get 404 instead of waiting, and its routes are free",
  options: { redis: edgeTable.redis, "data-dir": edgeTable["data-dir"] } as const,
  examples: [
    {
      command: "proxy-out tunnel forget old-shop",
      meaning: "an agent that still serves it makes it known again",
    },
  ],
  async run({ values, positionals: [name = ""] }, around: EdgeSurroundings) {
    await using place = await knownTunnelsOf(values, around)
    if (!(await place.forget(name)))
      throw new CommandError("usage", `There is no tunnel ${shown(name)}. See  proxy-out tunnel list`)
    around.output.write(`Tunnel ${name} is forgotten.\n`)
    return 0
  },
})
