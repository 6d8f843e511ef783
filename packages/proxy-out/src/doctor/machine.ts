// What the doctor asks of the system that it runs on.
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { readFile, statfs } from "node:fs/promises"
import { createServer, isIPv6 } from "node:net"
import type { Machine } from "./doctor.ts"

export const thisMachine: Machine = {
  async tryListen(kind, host, port) {
    if (kind === "udp") return tryBind(host, port)
    const server = createServer()
    server.listen({ host, port })
    await once(server, "listening")
    server.close()
    await once(server, "close")
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
  async mostOpenFiles() {
    // Linux; Node itself raises its soft limit to the hard one at start.
    const limits = await readFile("/proc/self/limits", "utf8").catch(() => "")
    return openFilesOf(limits)
  },
}

async function tryBind(host: string, port: number): Promise<void> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4")
  try {
    socket.bind({ address: host, port, exclusive: true })
    await once(socket, "listening")
  } finally {
    socket.close()
  }
}

/** The soft limit in the text of /proc/self/limits. */
export function openFilesOf(limits: string): number | undefined {
  const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft)
}
