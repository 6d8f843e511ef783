// Opens the queue that the options ask for. BullMQ and its Redis client are loaded only where a Redis is given: they are
// most of what this program would otherwise keep in memory for nothing.
import type { EdgeOptions } from "../edge-options.ts"
import type { Broker } from "./broker.ts"
import { MemoryBroker } from "./memory-broker.ts"
import { join } from "node:path"
import { FileTunnelStore } from "../routing/file-tunnel-store.ts"
import { noTunnelStore, type TunnelStore } from "../routing/tunnel-store.ts"
import { tunnelsFileName } from "../routing/tunnels-file.ts"

export interface OpenedQueue {
  /** Started. */
  readonly broker: Broker
  /** Started; only where several edges may share the queue. */
  readonly relay: EdgeRelayPort | undefined
  /** Not started. Where edges share the queue they share this too. */
  readonly tunnels: TunnelStore
}

/** Bytes from edge to edge. What `onMessage` gets from one edge is in order and without gaps until `onPeerLost` names it. */
export interface EdgeRelayPort {
  post(edgeId: string, payload: Buffer): void
  onMessage(listener: (from: string, payload: Buffer) => void): void
  onPeerLost(listener: (edgeId: string) => void): void
  stop(): Promise<void>
}

/** Never rejects because Redis is away: the broker is degraded then. Throws TypeError for a malformed URL. */
export async function openQueue(
  { redisUrl, dispatch, log, dataDir }: EdgeOptions,
  edgeId: string,
): Promise<OpenedQueue> {
  if (redisUrl === undefined) {
    const broker = new MemoryBroker()
    await broker.start()
    const tunnels =
      dataDir === undefined
        ? noTunnelStore
        : new FileTunnelStore({ path: join(dataDir, tunnelsFileName), log })
    return { broker, relay: undefined, tunnels }
  }
  const [{ BullmqBroker }, { Relay }] = await Promise.all([
    import("./bullmq-broker.ts"),
    import("./relay.ts"),
  ])
  const broker = new BullmqBroker({ redis: redisUrl, edgeId, dispatch, log })
  const relay = new Relay({ redis: redisUrl, edgeId, log })
  await Promise.all([broker.start(), relay.start()])
  return { broker, relay, tunnels: broker.tunnels }
}
