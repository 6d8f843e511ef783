// What one small exchange (OPEN down, HEAD with its body up) costs both sides together in framing and session work.
// Goal: less than 2 µs at a batch of 16. Run with --experimental.viteModuleRunner=false: vitest's own module loader makes every
// use of an import cost more than the work measured here.
import { test } from "vitest"
import { Session, type StreamSink } from "../../src/session/index.ts"
import { headFlags, openKind, type OpenFields } from "../../src/wire/index.ts"

const requestHead = `GET /api/items?page=2 HTTP/1.1\r\nhost: edge.example\r\nuser-agent: ${"a".repeat(90)}\r\naccept: */*\r\n${"x-filler: 0123456789abcdef\r\n".repeat(8)}\r\n`
const responseHead = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 120\r\n${"x-filler: 0123456789abcdef\r\n".repeat(4)}\r\n`
const responseBody = Buffer.alloc(120, 0x61)

const fields: OpenFields = {
  kind: openKind.http,
  exchangeId: "V1StGXR8_Z5jdHi6B-myT",
  attempt: 1,
  deadlineMs: 60_000,
  clientAddress: "203.0.113.17",
  scheme: "http",
  tunnel: "default",
  head: requestHead,
  bodyFollows: false,
}

class Edge implements StreamSink {
  answers = 0
  onOpen(): void {}
  onTaken(): void {}
  onHead(_stream: number, _flags: number, head: string): void {
    this.answers += head.length > 0 ? 1 : 0
  }
  onData(): void {}
  onEnd(): void {}
  onReset(): void {}
  onWindow(): void {}
  onDrain(): void {}
}

class Pair {
  readonly edgeSink = new Edge()
  readonly edge: Session = new Session({ sink: this.edgeSink, onOutput: () => {} })
  readonly agent: Session = new Session({
    sink: Object.assign(new Edge(), {
      onOpen: (stream: number) => this.agent.head(stream, headFlags.final, responseHead, responseBody),
    }),
    onOutput: () => {},
  })
  #stream = 0

  exchange(batch: number): void {
    for (let index = 0; index < batch; index++) this.edge.open(++this.#stream, fields)
    move(this.edge, this.agent)
    move(this.agent, this.edge)
  }
}

function move(from: Session, to: Session): void {
  for (let message = from.nextMessage(1); message !== undefined; message = from.nextMessage(1)) {
    const [first] = message
    if (message.length === 1 && first !== undefined) to.receive(first)
    else to.receive(Buffer.concat(message))
  }
}

test("small exchanges through both sessions", async ({ bench }) => {
  for (const batch of [1, 16, 100]) {
    const pair = new Pair()
    await bench(`64 exchanges at batch ${batch}`, () => {
      for (let left = 64; left > 0; left -= batch) pair.exchange(Math.min(batch, left))
    }).run()
  }
})
