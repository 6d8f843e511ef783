// The private server of the WebSockets: sends every message back. Prints its port as its first line.
import { WebSocketServer } from "ws"

const server = new WebSocketServer(
  { host: "127.0.0.1", port: 0, backlog: 2048, perMessageDeflate: false },
  () => {
    const address = server.address()
    if (typeof address === "object" && address !== null) console.log(address.port)
  },
)
server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate())
  socket.on("message", (message, binary) => socket.send(message, { binary }))
})
process.on("disconnect", () => process.exit())
