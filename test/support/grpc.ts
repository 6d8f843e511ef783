// A gRPC service and its clients by grpc-js, with bytes for messages: no .proto is compiled.
import * as grpc from "@grpc/grpc-js"

const bytes = { serialize: (value: Buffer): Buffer => value, deserialize: (value: Buffer): Buffer => value }

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  }
}

export const echoService = {
  unary: method("Unary", false, false),
  fail: method("Fail", false, false),
  collect: method("Collect", true, false),
  repeat: method("Repeat", false, true),
  chat: method("Chat", true, true),
  wait: method("Wait", false, false),
} as const

export interface GrpcServer extends AsyncDisposable {
  readonly port: number
  /** Deadlines that calls of `wait` had left when they came, in milliseconds. */
  readonly leftMs: number[]
  /** Calls of `wait` and `chat` that were cancelled. */
  cancelled: number
}

export async function startGrpcServer(): Promise<GrpcServer> {
  const server = new grpc.Server()
  const state = { leftMs: [] as number[], cancelled: 0 }
  server.addService(echoService, {
    unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      const trailers = new grpc.Metadata()
      trailers.set("seen", call.metadata.get("ask").join("|"))
      trailers.set("raw-bin", Buffer.from([0, 255, 10]))
      done(null, call.request, trailers)
    },
    fail: (_call: unknown, done: grpc.sendUnaryData<Buffer>) =>
      done({ code: grpc.status.FAILED_PRECONDITION, details: "no – not now", metadata: new grpc.Metadata() }),
    collect: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      let total = 0
      call.on("data", (message: Buffer) => (total += message.length))
      call.on("end", () => done(null, Buffer.from(String(total))))
    },
    repeat: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      const [times = 0, size = 0] = call.request.toString().split("x").map(Number)
      for (let count = 0; count < times; count++) call.write(Buffer.alloc(size, count))
      call.end()
    },
    chat: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (message: Buffer) => call.write(message))
      call.on("end", () => call.end())
      call.on("cancelled", () => state.cancelled++)
    },
    wait: (call: grpc.ServerUnaryCall<Buffer, Buffer>) => {
      state.leftMs.push(Number(call.getDeadline()) - Date.now())
      call.on("cancelled", () => state.cancelled++)
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return Object.assign(state, {
    port,
    [Symbol.asyncDispose]: () => {
      server.forceShutdown()
      return Promise.resolve()
    },
  })
}
