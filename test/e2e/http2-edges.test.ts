// Clients of HTTP/2, gRPC among them, at one edge, and the agent at another that shares its Redis: what they say crosses both ways at
// the same time, whole, under flow control, and a cancelled call is cancelled behind the other edge.
import { once } from "node:events"
import * as grpc from "@grpc/grpc-js"
import { constants } from "node:http2"
import { describe, expect, test as base } from "vitest"
import { echoService, startGrpcServer, type GrpcServer } from "../support/grpc.ts"
import { answerOf, Http2TestClient } from "../support/http2-client.ts"
import { startAgent, startEdge, type Edge } from "../support/pair.ts"
import { startRedis } from "../support/redis.ts"
import { until } from "../support/until.ts"
import { bodyOf, httpUpstream, type HttpUpstream } from "../support/upstream.ts"

interface World {
  /** Where the clients are. */
  readonly here: Edge
  readonly upstream: HttpUpstream
  readonly calls: GrpcServer
  /** To `calls`, a tunnel of its own, by way of `here`. */
  readonly grpcClient: grpc.Client
  /** What the upstream has written of /endless, in bytes, and how many of its answers were broken off. */
  readonly seen: { written: number; left: number }
}

/** One of each for all: they are two edges, two agents and a Redis. */
const test = base.extend<{ world: World }>({
  world: [
    // oxlint-disable-next-line no-empty-pattern -- how a fixture says that it needs no other
    async ({}, use) => {
      const seen = { written: 0, left: 0 }
      await using stack = new AsyncDisposableStack()
      const redis = stack.use(await startRedis())
      const upstream = stack.use(
        await httpUpstream(async (incoming, response) => {
          if (incoming.url !== "/")
            response.on("close", () => (seen.left += response.writableFinished ? 0 : 1))
          if (incoming.url === "/echo") return void incoming.pipe(response)
          if (incoming.url === "/never") return undefined
          if (incoming.url === "/endless") {
            response.setMaxListeners(0)
            while (!response.destroyed) {
              seen.written += 65_536
              if (!response.write(Buffer.alloc(65_536)))
                await Promise.race([once(response, "drain"), once(response, "close")])
            }
            return undefined
          }
          const { length } = await bodyOf(incoming)
          response.setHeader("Trailer", "X-Sum")
          response.write(JSON.stringify({ length, trailers: incoming.rawTrailers }))
          response.addTrailers({ "X-Sum": "7" })
          return response.end()
        }),
      )
      const calls = stack.use(await startGrpcServer())
      const args = ["--redis", redis.url, "--h2c"]
      const here = stack.use(await startEdge({ args }))
      const there = stack.use(await startEdge({ args }))
      const external = there.url
      const agents = [
        stack.use(await startAgent({ server: upstream.url, external })),
        stack.use(await startAgent({ server: `h2c://127.0.0.1:${calls.port}`, external, tunnel: "calls" })),
      ]
      for (const agent of agents) await agent.attached()
      const grpcClient = new grpc.Client(`127.0.0.1:${here.port}`, grpc.credentials.createInsecure(), {
        "grpc.default_authority": "calls.edge.test",
      })
      stack.defer(() => grpcClient.close())
      // Until then a call for it goes to the default tunnel, whose server knows no gRPC.
      await until("the edge to know the tunnel", () => answersCalls(grpcClient))
      await use({ here, upstream, calls, grpcClient, seen })
    },
    { scope: "file" },
  ],
})

function answersCalls(client: grpc.Client): Promise<boolean> {
  const { path, requestSerialize, responseDeserialize } = echoService.unary
  const { promise, resolve } = Promise.withResolvers<boolean>()
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, Buffer.from("?"), (error) =>
    resolve(error === null),
  )
  return promise
}

describe("HTTP/2 at one of two edges", { timeout: 120_000 }, () => {
  test("a request with body and trailers is answered with body and trailers", async ({ world }) => {
    await using client = await Http2TestClient.to(world.here.url)
    for (const length of [1, 65_536, 3_000_000]) {
      const stream = client.session.request(
        { ":method": "POST", ":path": "/", ":authority": "edge.test" },
        { waitForTrailers: true },
      )
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "all" }))
      const answer = answerOf(stream)
      stream.end(Buffer.alloc(length))
      const { text, trailers } = await answer
      expect(JSON.parse(text)).toEqual({ length, trailers: ["x-end", "all"] })
      expect(trailers).toMatchObject({ "x-sum": "7" })
    }
  })

  test("both sides speak in turn on one stream", async ({ world }) => {
    await using client = await Http2TestClient.to(world.here.url)
    const stream = client.begin("POST", "/echo")
    const said: string[] = []
    stream.on("data", (bytes: Buffer) => said.push(bytes.toString()))
    for (const word of ["one", "two", "three"]) {
      stream.write(word)
      await until("its echo", () => said.at(-1) === word)
    }
    stream.end()
    await once(stream, "close")
    expect(said).toEqual(["one", "two", "three"])
  })

  test("a client that does not read slows the upstream down behind the other edge", async ({ world }) => {
    await using client = await Http2TestClient.to(world.here.url)
    const stream = client.begin("GET", "/endless", [], true)
    await once(stream, "response")
    stream.pause()
    let before = -1
    let since = performance.now()
    await until("the upstream to stand still", () => {
      if (before !== world.seen.written) since = performance.now()
      before = world.seen.written
      return performance.now() - since > 1000
    })
    expect(world.seen.written).toBeLessThan(64 * 1024 * 1024)
    stream.resume()
    await until("it to go on", () => world.seen.written > before + 64 * 1024 * 1024)
    const { left } = world.seen
    stream.close(constants.NGHTTP2_CANCEL)
    await until("the upstream to be told", () => world.seen.left === left + 1, 2000)
  })

  test("a stream that is reset is aborted at the upstream within a second", async ({ world }) => {
    await using client = await Http2TestClient.to(world.here.url)
    const before = { asked: world.upstream.seen.length, left: world.seen.left }
    const stream = client.begin("GET", "/never", [], true)
    await until("the request to arrive", () => world.upstream.seen.length > before.asked)
    stream.close(constants.NGHTTP2_CANCEL)
    await until("the upstream to be told", () => world.seen.left > before.left, 1000)
    expect(world.seen.left).toBe(before.left + 1)
  })
})

describe("gRPC at one of two edges", { timeout: 120_000 }, () => {
  test("a unary call has its reply, its status and its trailers", async ({ world }) => {
    const message = Buffer.alloc(100_000, "m")
    const { path, requestSerialize, responseDeserialize } = echoService.unary
    const metadata = new grpc.Metadata()
    metadata.set("ask", "me")
    const reply = Promise.withResolvers<Buffer | undefined>()
    const call = world.grpcClient.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      (error, got) => (error === null ? reply.resolve(got) : reply.reject(error)),
    )
    const [status] = (await once(call, "status")) as [grpc.StatusObject]
    expect((await reply.promise)?.equals(message)).toBe(true)
    expect([status.code, status.metadata.get("seen")]).toEqual([grpc.status.OK, ["me"]])
  })

  test("both sides stream at once, and every message arrives in order", async ({ world }) => {
    const { path, requestSerialize, responseDeserialize } = echoService.chat
    const call = world.grpcClient.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const status = once(call, "status") as Promise<[grpc.StatusObject]>
    const replies: number[] = []
    call.on("data", (message: Buffer) => replies.push(message.length === 20_000 ? message[0]! : -1))
    for (let count = 0; count < 200; count++) call.write(Buffer.alloc(20_000, count))
    call.end()
    expect((await status)[0].code).toBe(grpc.status.OK)
    expect(replies).toEqual(Array.from({ length: 200 }, (_, index) => index))
  })

  test("a call that is cancelled is cancelled at the server within a second", async ({ world }) => {
    const { path, requestSerialize, responseDeserialize } = echoService.chat
    const before = world.calls.cancelled
    const call = world.grpcClient.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const status = new Promise<grpc.StatusObject>((resolve) => call.on("status", resolve))
    call.on("error", () => undefined)
    call.write(Buffer.from("hello"))
    await once(call, "data")
    call.cancel()
    expect((await status).code).toBe(grpc.status.CANCELLED)
    await until("the server's call to be cancelled", () => world.calls.cancelled === before + 1, 1000)
  })
})
