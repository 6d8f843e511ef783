// Where an agent's ports lead, each with its own connections: what comes in at a port reaches this, and nothing else.
import type { PortHead } from "@restante/protocol"
import { portAddress, targetText } from "./ports.ts"
import type { PortMapping } from "./ports.ts"
import { UpstreamPool } from "./upstream/pool.ts"
import type { TcpTarget } from "./upstream/tcp-relay.ts"
import type { UdpTarget } from "./upstream/udp-relay.ts"

export interface PortTargetsOptions {
  readonly ports: readonly PortMapping[]
  readonly proxyProtocol: boolean
  readonly shared: Pick<UpstreamPool, "buffers" | "windows">
  readonly clock: { now(): number }
}

export class PortTargets {
  /** By the port's name. */
  readonly #tcp: ReadonlyMap<string, TcpTarget>
  readonly #udp: ReadonlyMap<string, UdpTarget>

  constructor({ ports, proxyProtocol, shared, clock }: PortTargetsOptions) {
    this.#tcp = new Map(
      ports
        .filter(({ kind }) => kind === "tcp")
        .map(({ name, target }) => {
          const pool = new UpstreamPool({ upstream: portAddress(target), clock, shared, maxIdle: 0 })
          return [name, { pool, upstream: targetText(target), proxyProtocol }]
        }),
    )
    this.#udp = new Map(
      ports.flatMap(({ kind, name, target }) =>
        kind === "udp" && target.kind === "place"
          ? [
              [
                name,
                {
                  host: target.host,
                  port: target.port,
                  upstream: targetText(target),
                  windows: shared.windows,
                },
              ],
            ]
          : [],
      ),
    )
  }

  udp({ name }: PortHead): UdpTarget | undefined {
    return this.#udp.get(name)
  }

  tcp({ name }: PortHead): TcpTarget | undefined {
    return this.#tcp.get(name)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tcp.values()].map(({ pool }) => pool.close()))
  }
}
