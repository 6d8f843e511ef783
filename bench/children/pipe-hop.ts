// A hop that joins sockets with Node's own pipe: what carrying bytes through one Node process costs at least. Prints its port as
// its first line.
//   node pipe-hop.ts UPSTREAM-PORT
import { connect, createServer } from "node:net"

const upstreamPort = Number(process.argv[2])
const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ port: upstreamPort, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
  client.on("error", () => upstream.destroy())
  upstream.on("error", () => client.destroy())
  client.pipe(upstream).pipe(client)
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) console.log(address.port)
})
process.on("disconnect", () => process.exit())
