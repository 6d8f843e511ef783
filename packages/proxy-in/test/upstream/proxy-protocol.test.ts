// The PROXY protocol's second version, byte for byte as its specification says (section 2.2).
import { expect, test } from "vitest"
import { proxyHeader } from "../../src/upstream/proxy-protocol.ts"

const signature = "0d0a0d0a000d0a515549540a"
const end = (address: string, port: number): { address: string; port: number } => ({ address, port })

test.each([
  ["203.0.113.17", "198.51.100.7", "2111000ccb007111c6336407d4314e36"],
  ["2001:db8::1", "::1", "2121002420010db800000000000000000000000100000000000000000000000000000001d4314e36"],
  [
    "64:ff9b::192.0.2.33",
    "fe80:0:0:0:1:2:3:4",
    "212100240064ff9b0000000000000000c0000221fe800000000000000001000200030004d4314e36",
  ],
  ["203.0.113.17", "2001:db8::1", "20000000"],
])("%s at %s", (client, edge, expected) => {
  const header = proxyHeader({ client: end(client, 54_321), edge: end(edge, 20_022) })
  expect(header.toString("hex")).toBe(signature + expected)
})
