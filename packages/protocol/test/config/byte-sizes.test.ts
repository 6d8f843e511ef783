import { describe, expect, test } from "vitest"
import { formatByteSize, parseByteSize } from "../../src/config/byte-sizes.ts"

const anySize = { leastBytes: 0, mostBytes: Number.MAX_SAFE_INTEGER }

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["512", 512],
    ["512B", 512],
    ["64KiB", 65_536],
    ["64 KiB", 65_536],
    [" 64KiB ", 65_536],
    ["1.5KiB", 1536],
    ["1MiB", 1_048_576],
    ["8192GiB", 8_796_093_022_208],
    ["10kB", 10_000],
    ["10KB", 10_000],
    ["10MB", 10_000_000],
    ["10GB", 10_000_000_000],
  ])("%j are %i bytes", (text, bytes) => {
    expect(parseByteSize(text, anySize)).toBe(bytes)
  })

  test.each(["", "KiB", "-1", "1e3", "0x10", "NaN", "Infinity", "1,5MiB", "1MiB1KiB", "６4KiB"])(
    "%j is refused with an example of what is right",
    (text) => {
      expect(() => parseByteSize(text, anySize)).toThrow(/is not a size.*64KiB/)
    },
  )

  test.each(["64kib", "64K", "64k", "64M", "1Mib", "1TiB", "64bytes"])(
    "%j is refused with the units there are",
    (text) => {
      expect(() => parseByteSize(text, anySize)).toThrow(
        "Units are B, KiB, MiB and GiB (or kB, MB, GB), as in 512B, 64KiB or 1MiB.",
      )
    },
  )

  test("a part of a byte is refused", () => {
    expect(() => parseByteSize("0.3B", anySize)).toThrow("It is no whole number of bytes.")
  })

  test("both ends of a range are allowed, what is beyond is refused with the range", () => {
    const range = { leastBytes: 1024, mostBytes: 65_536 }
    expect(parseByteSize("1KiB", range)).toBe(1024)
    expect(parseByteSize("64KiB", range)).toBe(65_536)
    expect(() => parseByteSize("1023", range)).toThrow('"1023" is out of range. Give 1KiB to 64KiB.')
    expect(() => parseByteSize("65537", range)).toThrow("Give 1KiB to 64KiB.")
  })

  test.each([
    [0, "0B"],
    [1, "1B"],
    [1500, "1500B"],
    [65_536, "64KiB"],
    [1_048_576, "1MiB"],
    [8_796_093_022_208, "8192GiB"],
  ])("%i bytes are written %s", (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text)
  })
})
