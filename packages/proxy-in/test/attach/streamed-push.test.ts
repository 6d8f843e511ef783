// A push whose body goes on: what it is trusted with, and what becomes of that.
import { deafSink, Secret, Session } from "@restante/protocol"
import { expect, test } from "vitest"
import type { CarrierPort } from "../../src/attach/carrier.ts"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import { StreamedPush } from "../../src/attach/streamed-push.ts"
import { FakeEdge, sessionId } from "./fake-edge.ts"
import { turnsUntil } from "../../../../test/support/turns.ts"

const ignore = (): void => {}

class Pushing implements CarrierPort, AsyncDisposable {
  readonly session = sessionId
  readonly edge = new FakeEdge()
  readonly losses: number[] = []
  readonly own: Session = new Session({
    onOutput: ignore,
    onPong: (bytes) => this.push.pong(bytes),
    sink: deafSink,
  })
  #client: EdgeClient | undefined
  #push: StreamedPush | undefined
  #carriers = 0

  static async start(before: (own: Session) => void = ignore): Promise<Pushing> {
    const pushing = new Pushing()
    await pushing.edge.start()
    before(pushing.own)
    pushing.#client = new EdgeClient({
      external: pushing.edge.url,
      ca: undefined,
      token: new Secret("token"),
    })
    pushing.#push = new StreamedPush({
      client: pushing.#client,
      port: pushing,
      session: pushing.own,
      retryMs: () => 10,
    })
    pushing.#push.start()
    await turnsUntil("the body to begin", () => pushing.edge.count("push", true) === 1)
    return pushing
  }

  get push(): StreamedPush {
    return this.#push!
  }

  /** The PONG arrives by whatever carries messages down. */
  async proves(): Promise<void> {
    await turnsUntil("the PING to arrive", () => this.edge.session.hasOutput)
    for (let parts = this.edge.session.nextMessage(1); parts; parts = this.edge.session.nextMessage(1))
      this.own.receive(Buffer.concat(parts))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.push.stop()
    await this.#client?.close()
    await this.edge[Symbol.asyncDispose]()
  }

  nextCarrierId(): number {
    return ++this.#carriers
  }

  receive(): void {}

  acknowledgement(): Buffer {
    return this.own.ackMessage()
  }

  lost(id: number): void {
    this.losses.push(id)
  }

  alive(): void {}

  failed(): void {}

  flush(): void {}
}

test("is not ready before a PONG shows that its body passes", async () => {
  await using pushing = await Pushing.start()
  const before = pushing.push.ready
  await pushing.proves()
  expect([before, pushing.push.ready]).toEqual([false, true])
})

test("is not trusted with what waits before that", async () => {
  await using pushing = await Pushing.start((own) => own.end(1))
  await turnsUntil("the PING to arrive", () => pushing.edge.session.hasOutput)
  expect([pushing.edge.heard, pushing.own.queuedBytes > 0]).toEqual([[], true])
})

test("carries messages in order", async () => {
  await using pushing = await Pushing.start()
  await pushing.proves()
  for (const stream of [1, 2, 3]) {
    pushing.own.end(stream)
    pushing.push.send(pushing.own.nextMessage(pushing.push.id) ?? [])
  }
  await turnsUntil("all to arrive", () => pushing.edge.heard.length === 3)
  expect(pushing.edge.heard).toEqual(["end 1", "end 2", "end 3"])
})

test("reports what it carried lost when the connection breaks", async () => {
  await using pushing = await Pushing.start()
  await pushing.proves()
  const { id } = pushing.push
  pushing.edge.cut()
  await turnsUntil("the loss", () => pushing.losses.length > 0)
  expect(pushing.losses).toEqual([id])
})

test("reports what it carried lost when it is stopped", async () => {
  await using pushing = await Pushing.start()
  await pushing.proves()
  const { id } = pushing.push
  pushing.push.stop()
  expect(pushing.losses).toEqual([id])
})

test("does not read its sources faster than the edge reads the body", async () => {
  await using pushing = await Pushing.start()
  await pushing.proves()
  for (const socket of pushing.edge.sockets) socket.pause()
  const chunk = Buffer.alloc(256 * 1024)
  let sentBytes = 0
  while (pushing.push.ready && sentBytes < 100_000_000) {
    pushing.push.send([chunk])
    sentBytes += chunk.length
  }
  expect(sentBytes).toBeLessThanOrEqual(4 * 1024 * 1024)
})
