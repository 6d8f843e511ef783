// The contract over streamed polls and pushes, and what streaming is for.
import { expect, test } from "vitest"
import { fetchWhole } from "../support/client.ts"
import { httpUpstream } from "../support/upstream.ts"
import { transportContract } from "./transport-contract.ts"
import { World } from "./world.ts"

transportContract("streamed polls and pushes", { transport: "poll", path: "plain" })

test("once the path is known to stream, an exchange costs no request of its own", async () => {
  await using upstream = await httpUpstream((_request, response) => response.end("served"))
  await using world = await World.open({ transport: "poll", path: "plain", upstream })
  await world.attached()
  // oxlint-disable no-await-in-loop -- one after the other
  for (let warming = 0; warming < 20; warming++) await fetchWhole(`${world.url}/`)
  const before = world.relay.count("POST /.restante/v1/")
  for (let exchange = 0; exchange < 50; exchange++) await fetchWhole(`${world.url}/`)
  expect(world.relay.count("POST /.restante/v1/") - before).toBe(0)
})
