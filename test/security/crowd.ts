// A program: COUNT connections to PORT from the address FROM that say nothing, until its input ends. Says how many it has made and, on
// every line of its input, how many of them are still open.
import { connect, type Socket } from "node:net"

const [port, count, from] = process.argv.slice(2)
const sockets: Socket[] = []
let open = 0
const more = (): void => {
  for (let made = 0; made < 100 && sockets.length < Number(count); made++) {
    const socket = connect({ port: Number(port), host: "127.0.0.1", localAddress: from! })
    socket.once("connect", () => {
      open++
      socket.once("close", () => open--)
    })
    socket.on("error", () => undefined)
    sockets.push(socket)
  }
  if (sockets.length < Number(count)) setTimeout(more, 5)
  else console.log(`made ${sockets.length}`)
}
more()
process.stdin.on("data", () => console.log(`open ${open}`))
process.stdin.on("end", () => process.exit(0))
