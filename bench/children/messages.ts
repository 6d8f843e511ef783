// WebSocket messages that come back, one at a time on each connection, with the client that most of Node's world uses.
import { WebSocket } from "ws"
import { Count, type CountedJob, type CountedResult, patienceMs } from "./count.ts"

export interface MessagesJob extends CountedJob {
  readonly kind: "messages"
  readonly port: number
  readonly connections: number
  /** Of each message. */
  readonly bytes: number
}

/** Rejects when a connection breaks, or when what comes back is not what was sent. */
export async function exchangeMessages(job: MessagesJob): Promise<CountedResult> {
  const message = Buffer.alloc(job.bytes, "restante")
  const sockets = await Promise.all(Array.from({ length: job.connections }, () => open(job.port)))
  const count = new Count(job)
  try {
    await Promise.all(sockets.map((socket) => ask(socket, message, count)))
  } finally {
    for (const socket of sockets) socket.terminate()
  }
  return count.result()
}

function open(port: number): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      perMessageDeflate: false,
      handshakeTimeout: patienceMs,
    })
    socket.once("error", reject)
    socket.once("open", () => resolve(socket))
  })
}

/** One connection, until the count says that it is enough. */
function ask(socket: WebSocket, message: Buffer, count: Count): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = performance.now()
    socket.on("message", (back: Buffer) => {
      const now = performance.now()
      if (!back.equals(message)) return reject(new Error("another message came back"))
      if (!count.add(sentAt, now)) return resolve()
      sentAt = now
      socket.send(message)
    })
    socket.on("close", () => reject(new Error("the connection was closed before the message was back")))
    socket.send(message)
  })
}
