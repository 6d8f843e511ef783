// One entry of an edge's inbox: who sends it, where it stands in the sender's numbering, what it acknowledges, and any
// number of payloads.

export interface RelayEntry {
  /** Edge id of the sender: 1 to 64 ASCII characters. */
  readonly from: string
  readonly kind: "payloads" | "bye"
  /** Which of the sender's beginnings this is: each is higher than the one before. */
  readonly epoch: number
  /** The receiver's beginning that the sender goes by, 0 when it knows of none. */
  readonly peerEpoch: number
  /** 1, 2, 3 … for entries with payloads, since both began; one without says which was the last. */
  readonly number: number
  /** The receiver's entries up to this number have arrived. */
  readonly acknowledged: number
  readonly payloads: readonly Buffer[]
}

export function encodeEntry(entry: RelayEntry): Buffer {
  const header = Buffer.allocUnsafe(fixedBytes + entry.from.length)
  header[0] = entryVersion
  header[1] = entry.kind === "bye" ? 1 : 0
  header[2] = entry.from.length
  let position = 3 + header.write(entry.from, 3, "latin1")
  for (const number of [entry.epoch, entry.peerEpoch, entry.number, entry.acknowledged]) {
    position = header.writeUIntBE(number, position, numberBytes)
  }
  const parts: Buffer[] = [header]
  for (const payload of entry.payloads) {
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(payload.length)
    parts.push(length, payload)
  }
  return Buffer.concat(parts)
}

/** Undefined when the bytes are not an entry of ours. Payloads are views of `bytes`. */
export function decodeEntry(bytes: Buffer): RelayEntry | undefined {
  const fromBytes = bytes[2]
  const kind = bytes[1]
  if (bytes[0] !== entryVersion || fromBytes === undefined || kind === undefined || kind > 1) return undefined
  let position = fixedBytes + fromBytes
  if (fromBytes === 0 || bytes.length < position) return undefined
  const numberAt = (index: number): number =>
    bytes.readUIntBE(3 + fromBytes + index * numberBytes, numberBytes)
  const payloads: Buffer[] = []
  while (position < bytes.length) {
    if (position + 4 > bytes.length) return undefined
    const end = position + 4 + bytes.readUInt32BE(position)
    if (end > bytes.length) return undefined
    payloads.push(bytes.subarray(position + 4, end))
    position = end
  }
  return {
    from: bytes.toString("latin1", 3, 3 + fromBytes),
    kind: kind === 1 ? "bye" : "payloads",
    epoch: numberAt(0),
    peerEpoch: numberAt(1),
    number: numberAt(2),
    acknowledged: numberAt(3),
    payloads,
  }
}

const entryVersion = 1
const numberBytes = 6
const fixedBytes = 3 + 4 * numberBytes
