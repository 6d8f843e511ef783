// Big-endian integers on Buffers, without the argument checks of Buffer's own methods (this runs a dozen times per exchange).
// Callers have checked the bounds: reads beyond the end give 0, writes beyond it do nothing.

/** `value`: 0 to 2^32 - 1. */
export function putU32(bytes: Buffer, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

export function getU32(bytes: Buffer, offset: number): number {
  return (
    ((byteAt(bytes, offset) << 24) |
      (byteAt(bytes, offset + 1) << 16) |
      (byteAt(bytes, offset + 2) << 8) |
      byteAt(bytes, offset + 3)) >>>
    0
  )
}

export function putU24(bytes: Buffer, offset: number, value: number): void {
  bytes[offset] = value >>> 16
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value
}

export function getU24(bytes: Buffer, offset: number): number {
  return (byteAt(bytes, offset) << 16) | (byteAt(bytes, offset + 1) << 8) | byteAt(bytes, offset + 2)
}

export function putU16(bytes: Buffer, offset: number, value: number): void {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
}

export function getU16(bytes: Buffer, offset: number): number {
  return (byteAt(bytes, offset) << 8) | byteAt(bytes, offset + 1)
}

/** `value`: a safe integer, not negative. */
export function putU64(bytes: Buffer, offset: number, value: number): void {
  putU32(bytes, offset, Math.floor(value / twoTo32))
  putU32(bytes, offset + 4, value >>> 0)
}

/** Undefined when the value is beyond 2^53 - 1, where a double is no longer exact. */
export function getU64(bytes: Buffer, offset: number): number | undefined {
  const high = getU32(bytes, offset)
  return high > maxSafeHigh ? undefined : high * twoTo32 + getU32(bytes, offset + 4)
}

export function byteAt(bytes: Buffer, offset: number): number {
  return bytes[offset] ?? 0
}

const twoTo32 = 2 ** 32
const maxSafeHigh = 2 ** 21 - 1
