// gRPC end to end with grpc-js at both ends: HTTP/2 to the edge, in TLS and without, and h2c to the private server.
import { once } from "node:events"
import * as grpc from "@grpc/grpc-js"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { authority } from "../support/certificates.ts"
import { echoService, startGrpcServer, type GrpcServer } from "../support/grpc.ts"
import { startSecurePair } from "../support/http2-pair.ts"
import { startPair, transports } from "../support/pair.ts"
import { until } from "../support/until.ts"

const ways = transports.flatMap((transport) => [
  { transport, secure: true, name: `over TLS and ${transport}` },
  { transport, secure: false, name: `over h2c and ${transport}` },
])

describe.each(ways)("$name", ({ transport, secure }) => {
  const stack = new AsyncDisposableStack()
  let server: GrpcServer
  let client: grpc.Client

  beforeAll(async () => {
    server = stack.use(await startGrpcServer())
    const options = { server: `h2c://127.0.0.1:${server.port}`, transport }
    const pair = secure
      ? stack.use(await startSecurePair(options))
      : stack.use(await startPair({ ...options, edgeArgs: ["--h2c"] }))
    const credentials = secure
      ? grpc.credentials.createSsl(Buffer.from(authority))
      : grpc.credentials.createInsecure()
    client = new grpc.Client(`localhost:${new URL(pair.url).port}`, credentials)
    stack.defer(() => client.close())
  })
  afterAll(() => stack.disposeAsync())

  function unary(name: "unary" | "fail" | "wait", message: Buffer, options: grpc.CallOptions = {}) {
    const { path, requestSerialize, responseDeserialize } = echoService[name]
    const metadata = new grpc.Metadata()
    metadata.set("ask", "me")
    const call = Promise.withResolvers<{ reply?: Buffer | undefined; error?: grpc.ServiceError }>()
    const started = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      options,
      (error, reply) => call.resolve(error === null ? { reply } : { error }),
    )
    const status = once(started, "status") as Promise<[grpc.StatusObject]>
    return { started, done: call.promise, status: status.then(([said]) => said) }
  }

  test("a unary call has its reply, its status and its trailers, binary ones too", async () => {
    const message = Buffer.alloc(100_000, "m")
    const { done, status } = unary("unary", message)
    expect((await done).reply?.equals(message)).toBe(true)
    const { code, metadata } = await status
    expect([code, metadata.get("seen"), metadata.get("raw-bin")]).toEqual([
      0,
      ["me"],
      [Buffer.from([0, 255, 10])],
    ])
  })

  test("a call that fails says so with its own code and words (trailers only)", async () => {
    const { error } = await unary("fail", Buffer.alloc(0)).done
    expect(error).toMatchObject({ code: grpc.status.FAILED_PRECONDITION, details: "no – not now" })
  })

  test("a stream of the client arrives whole", async () => {
    const { path, requestSerialize, responseDeserialize } = echoService.collect
    const done = Promise.withResolvers<string>()
    const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error, reply) =>
      error === null ? done.resolve(String(reply)) : done.reject(error),
    )
    for (let count = 0; count < 100; count++) call.write(Buffer.alloc(20_000))
    call.end()
    expect(await done.promise).toBe("2000000")
  })

  test("a stream of the server arrives whole and in order", async () => {
    const { path, requestSerialize, responseDeserialize } = echoService.repeat
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      Buffer.from("200x20000"),
    )
    const seen: number[] = []
    call.on("data", (message: Buffer) => seen.push(message[0]! + (message.length === 20_000 ? 0 : 1000)))
    const [status] = (await once(call, "status")) as [grpc.StatusObject]
    expect(status.code).toBe(grpc.status.OK)
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index))
  })

  test("both sides talk in turn on one call, and each message is answered before the next", async () => {
    const { path, requestSerialize, responseDeserialize } = echoService.chat
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const status = once(call, "status") as Promise<[grpc.StatusObject]>
    const replies: string[] = []
    for (const word of ["one", "two", "three"]) {
      call.write(Buffer.from(word))
      const [reply] = (await once(call, "data")) as [Buffer]
      replies.push(reply.toString())
    }
    call.end()
    expect(replies).toEqual(["one", "two", "three"])
    expect((await status)[0].code).toBe(grpc.status.OK)
  })

  test("a deadline reaches the server, and ends the call there as well", async () => {
    const before = server.cancelled
    const { done } = unary("wait", Buffer.alloc(1), { deadline: Date.now() + 700 })
    expect((await done).error?.code).toBe(grpc.status.DEADLINE_EXCEEDED)
    expect(server.leftMs.at(-1)).toBeLessThan(701)
    await until("the server's call to be cancelled", () => server.cancelled === before + 1)
  })

  test("a call that the client cancels is cancelled at the server", async () => {
    const before = server.leftMs.length
    const cancelled = server.cancelled
    const { started, done } = unary("wait", Buffer.alloc(1))
    await until("the call to arrive", () => server.leftMs.length === before + 1)
    started.cancel()
    expect((await done).error?.code).toBe(grpc.status.CANCELLED)
    await until("the server's call to be cancelled", () => server.cancelled === cancelled + 1, 1000)
  })
})
