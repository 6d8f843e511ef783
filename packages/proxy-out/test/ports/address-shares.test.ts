// Who may come in at a port.
import { expect, test } from "vitest"
import { AddressShares } from "../../src/ports/address-shares.ts"

test("one address has no more than its share, and others still come in", () => {
  const shares = new AddressShares({ most: 10, mostPerAddress: 2 })
  const came = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"].map((address) => shares.enter(address))
  expect(came).toEqual([undefined, undefined, "address_full", undefined])
})

test("all addresses together have no more than the port takes", () => {
  const shares = new AddressShares({ most: 2, mostPerAddress: 2 })
  const came = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => shares.enter(address))
  expect(came).toEqual([undefined, undefined, "port_full"])
})

test("who leaves makes room for the next", () => {
  const shares = new AddressShares({ most: 2, mostPerAddress: 1 })
  shares.enter("192.0.2.1")
  shares.enter("192.0.2.2")
  shares.leave("192.0.2.1")
  expect([shares.enter("192.0.2.2"), shares.enter("192.0.2.1")]).toEqual(["address_full", undefined])
})

test("the addresses of an IPv6 network of 64 bits count as one", () => {
  const shares = new AddressShares({ most: 10, mostPerAddress: 1 })
  const came = ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1"].map((address) =>
    shares.enter(address),
  )
  expect(came).toEqual([undefined, "address_full", undefined])
})
