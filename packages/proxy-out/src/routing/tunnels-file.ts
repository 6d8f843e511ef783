// The file in which an edge without Redis keeps the tunnels that it knows: what is in it, read and written.
import { maxRoutes, parseRoute, routeText, tunnelNamePattern } from "@restante/protocol"
import { z } from "zod"
import type { KnownTunnel } from "./route-table.ts"

export const tunnelsFileName = "tunnels.json"

/** Throws for anything that this program has not written. */
export function parseTunnels(text: string): readonly KnownTunnel[] {
  return fileSchema.parse(JSON.parse(text)).tunnels
}

export function tunnelsText(tunnels: Iterable<KnownTunnel>): string {
  return `${JSON.stringify({ version: 1, tunnels: [...tunnels] }, undefined, 1)}\n`
}

/** One tunnel as other edges or an earlier start wrote it. */
export const knownTunnelSchema: z.ZodType<KnownTunnel> = z.object({
  name: z.string().regex(tunnelNamePattern),
  routes: z.array(z.string().refine(isCanonical)).max(maxRoutes),
  stripPrefix: z.boolean(),
  token: z.string().optional(),
})

const fileSchema = z.object({ version: z.literal(1), tunnels: z.array(knownTunnelSchema) })

function isCanonical(text: string): boolean {
  const route = parseRoute(text)
  return route !== undefined && routeText(route) === text
}
