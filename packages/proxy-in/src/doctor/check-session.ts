// A session that serves nobody, for as long as something is looked at through it.
import { randomBytes } from "node:crypto"
import type { PortRequest } from "@restante/protocol"
import type { EdgeClient, Welcome } from "../attach/edge-client.ts"

export interface CheckSession {
  readonly client: EdgeClient
  readonly tunnel: string
  readonly routes?: readonly string[] | undefined
  /** Looked at, not opened. */
  readonly ports?: readonly PortRequest[] | undefined
}

/** Attaches, looks, and detaches whatever came of it. Raises LinkError when it cannot attach, and what `look` raises. */
export async function withCheckSession<T>(
  { client, tunnel, routes, ports }: CheckSession,
  look: (welcome: Welcome) => Promise<T>,
): Promise<T> {
  const instance = `doctor-${randomBytes(9).toString("base64url")}`
  const never = new AbortController().signal
  // Concurrency 0: given nothing, counted nowhere (docs/protocol.md).
  const welcome = await client.attach(
    { tunnel, routes, ports, instance, concurrency: 0, software: "proxy-in doctor" },
    never,
  )
  try {
    return await look(welcome)
  } finally {
    await client.detach(welcome.session)
  }
}
