// A name server for one name (RFC 1035), in the place of the one that Docker and Kubernetes give their containers: all
// addresses of a service that are alive, as A records that may be kept for a second.
import { createSocket, type Socket } from "node:dgram"
import { once } from "node:events"

export class NameServer implements AsyncDisposable {
  readonly #socket: Socket
  readonly port: number
  /** IPv4 addresses, as they are at the moment. */
  addresses: readonly string[]

  private constructor(socket: Socket, addresses: readonly string[]) {
    this.#socket = socket
    this.port = socket.address().port
    this.addresses = addresses
    socket.on("message", (query, from) => {
      const reply = answer(query, this.addresses)
      if (reply !== undefined) socket.send(reply, from.port, from.address)
    })
  }

  static async listen(addresses: readonly string[]): Promise<NameServer> {
    const socket = createSocket("udp4")
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    return new NameServer(socket, addresses)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, "close")
    this.#socket.close()
    await closed
  }
}

const headerBytes = 12
const typeA = 1

/** Undefined for what is no query. */
function answer(query: Buffer, addresses: readonly string[]): Buffer | undefined {
  if (query.length < headerBytes) return undefined
  let end = headerBytes
  while (query[end] !== undefined && query[end] !== 0) end += 1 + (query[end] ?? 0)
  const question = query.subarray(headerBytes, end + 5)
  if (query.length < end + 5) return undefined
  const records = query.readUInt16BE(end + 1) === typeA ? addresses.map(record) : []
  const header = Buffer.from(query.subarray(0, headerBytes))
  // A response, recursion available, no error; one question, no other sections.
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  header.writeUInt32BE(0, 8)
  return Buffer.concat([header, question, ...records])
}

/** Name: that of the question. Type A, class IN, one second. */
function record(address: string): Buffer {
  const fixed = Buffer.from([0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 1, 0, 4])
  return Buffer.concat([fixed, Buffer.from(address.split(".").map(Number))])
}
