// What the doctor asks of the system that it runs on.
import { once } from "node:events"
import { readFile, statfs } from "node:fs/promises"
import { createServer } from "node:net"
import type { Machine } from "./doctor.ts"

export const thisMachine: Machine = {
  async tryListen(host, port) {
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

/** The soft limit in the text of /proc/self/limits. */
export function openFilesOf(limits: string): number | undefined {
  const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft)
}
