// A link between an agent and a fake edge, and what the link's owner was told. Time is the test's.
import { deafSink, Secret } from "@restante/protocol"
import { onTestFinished, vi } from "vitest"
import { turns, turnsUntil } from "../../../../test/support/turns.ts"
import type { Transport } from "../../src/agent-options.ts"
import { EdgeClient } from "../../src/attach/edge-client.ts"
import { Link } from "../../src/attach/link.ts"
import { FakeEdge, sessionId } from "./fake-edge.ts"
import type { Streaming } from "./fake-edge.ts"

export class Linked implements AsyncDisposable {
  readonly edge = new FakeEdge()
  readonly troubles: string[] = []
  readonly overs: string[] = []
  /** Frames that came down, in order. */
  readonly heard: string[] = []
  alives = 0
  writables = 0
  roundTrips = 0
  /** Ways that messages travelled after the first one. */
  readonly transports: string[] = []
  readonly #transport: Transport
  #client: EdgeClient | undefined
  #link: Link | undefined

  private constructor(transport: Transport) {
    this.#transport = transport
  }

  static async start(streaming: Streaming, transport: Transport = "poll"): Promise<Linked> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
    onTestFinished(() => void vi.useRealTimers())
    const linked = new Linked(transport)
    linked.edge.streaming = streaming
    await linked.edge.start()
    linked.#client = new EdgeClient({ external: linked.edge.url, ca: undefined, token: new Secret("token") })
    linked.#link = linked.#newLink(linked.#client)
    linked.#link.start()
    await turnsUntil("polls to wait", () => linked.edge.waitingPolls === 2 || linked.edge.streams)
    return linked
  }

  get link(): Link {
    return this.#link!
  }

  /** Lets that much time pass, and the network do its work in it. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      vi.advanceTimersByTime(Math.min(left, stepMs))
      // oxlint-disable-next-line no-await-in-loop -- time and network in turns
      await turns(4)
    }
  }

  /** Something that goes up, and that the edge can tell from others. */
  says(stream: number): void {
    this.link.out.end(stream)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.end()
    await this.#client?.close()
    await this.edge[Symbol.asyncDispose]()
  }

  #newLink(client: EdgeClient): Link {
    const ignore = (): void => {}
    return new Link({
      client,
      welcome: { session: sessionId, resumeSeconds: 30, pollSeconds: 25, ports: [] },
      transport: this.#transport,
      clock: { now: () => Date.now(), random: () => 1 },
      sink: {
        ...deafSink,
        onEnd: (stream) => this.heard.push(`end ${stream}`),
      },
      onAlive: () => this.alives++,
      onTrouble: ({ code }) => this.troubles.push(code),
      onTransport: (carriedOn) => this.transports.push(carriedOn),
      onRoundTrip: () => this.roundTrips++,
      onReleased: ignore,
      onOver: ({ code }) => this.overs.push(code),
      onWritable: () => this.writables++,
    })
  }
}

const stepMs = 250
