// proxy-out tunnel list: the tunnels that this edge, or the edges of one Redis, have served.
import { command } from "@restante/protocol"
import { edgeTable } from "../cli-options.ts"
import type { EdgeSurroundings } from "../surroundings.ts"
import { columns } from "./columns.ts"
import { knownTunnelsOf } from "./tunnels-place.ts"

export const tunnelList = command({
  words: ["tunnel", "list"],
  summary:
    "list the known tunnels: those that an agent has served at some time, and which requests are theirs",
  options: { redis: edgeTable.redis, "data-dir": edgeTable["data-dir"] } as const,
  examples: [
    { command: "proxy-out tunnel list", meaning: "those of the edge with the usual data directory" },
    {
      command: "proxy-out tunnel list --redis redis://10.0.0.5:6379",
      meaning: "those of all edges that share this Redis",
    },
  ],
  async run({ values }, around: EdgeSurroundings) {
    await using place = await knownTunnelsOf(values, around)
    const tunnels = (await place.read()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const rows = tunnels.map(({ name, routes, stripPrefix }) => [
      name,
      routes.length === 0 ? "(its name)" : routes.join(" "),
      stripPrefix ? "yes" : "no",
    ])
    around.output.write(
      rows.length === 0
        ? "No tunnel has been served yet.\n"
        : columns(["NAME", "ROUTES", "STRIPS PREFIX"], rows),
    )
    return 0
  },
})
