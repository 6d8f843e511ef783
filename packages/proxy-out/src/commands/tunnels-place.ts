// Where known tunnels are, for commands that run beside an edge: a file in its data directory, or the Redis that edges share.
import { join } from "node:path"
import { CommandError, shown, systemReason } from "@restante/protocol"
import { dataDirOf } from "../places.ts"
import { changeFile, readIfThere } from "../state/owned-file.ts"
import type { EdgeSurroundings } from "../surroundings.ts"
import type { KnownTunnel } from "../routing/route-table.ts"
import { parseTunnels, tunnelsFileName, tunnelsText } from "../routing/tunnels-file.ts"

export interface TunnelsPlace extends AsyncDisposable {
  /** Raises `CommandError`, as `forget` does. */
  read(): Promise<readonly KnownTunnel[]>
  /** False when there is no such tunnel. */
  forget(name: string): Promise<boolean>
}

/** Raises `CommandError` when Redis does not answer. */
export function knownTunnelsOf(
  values: { readonly redis: string | undefined; readonly "data-dir": string | undefined },
  around: EdgeSurroundings,
): Promise<TunnelsPlace> {
  if (values.redis !== undefined) return inRedis(values.redis)
  return Promise.resolve(inFile(join(dataDirOf(values, around), tunnelsFileName)))
}

function inFile(path: string): TunnelsPlace {
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      const reason =
        error instanceof SyntaxError || (error instanceof Error && error.name === "ZodError")
          ? "it is broken"
          : systemReason(error)
      throw new CommandError(
        "startup",
        `The file of known tunnels ${shown(path)} cannot be used: ${reason}.`,
        { cause: error },
      )
    })
  return {
    read: () => told(readIfThere(path).then((text) => (text === undefined ? [] : parseTunnels(text)))),
    async forget(name) {
      let found = false
      const change = (text: string | undefined): string | undefined => {
        const all = text === undefined ? [] : parseTunnels(text)
        const left = all.filter((tunnel) => tunnel.name !== name)
        found = left.length < all.length
        return found ? tunnelsText(left) : undefined
      }
      await told(changeFile(path, change))
      return found
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function inRedis(url: string): Promise<TunnelsPlace> {
  const [{ openRedis }, { forgetRedisTunnel, readRedisTunnels }, { describe, withinMs }] = await Promise.all([
    import("../queue/redis-target.ts"),
    import("../queue/redis-tunnels.ts"),
    import("../queue/redis-link.ts"),
  ])
  const client = openRedis(url, { lazyConnect: true, retryStrategy: () => null })
  // What the connection says is the cause; the command that fails only says that there is none.
  let heard: unknown
  client.on("error", (error: unknown) => (heard = error))
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await withinMs(work, answerMs)
    } catch (error) {
      client.disconnect()
      throw new CommandError(
        "startup",
        `Redis does not do what it is asked: ${describe(heard ?? error).replace(/\.$/, "")}. Check --redis.`,
        { cause: error },
      )
    }
  }
  await told(client.connect())
  return {
    read: () => told(readRedisTunnels(client)),
    forget: (name) => told(forgetRedisTunnel(client, name)),
    [Symbol.asyncDispose]: () => {
      client.disconnect()
      return Promise.resolve()
    },
  }
}

const answerMs = 5000
