// Scenes that once went wrong, as the fuzzer printed them, and those that its author feared most: they are played in every run,
// whatever chance makes.
import type { Answer, Body, Exchange, Scene } from "./scene.ts"

export interface KnownScene {
  /** What must hold. */
  readonly name: string
  readonly scene: Scene
}

const length = (bytes: number): Body => ({ framing: "length", bytes, offset: 0 })
const chunked = (bytes: number): Body => ({
  framing: "chunked",
  bytes,
  offset: 0,
  chunkBytes: Math.max(1, bytes),
  trailers: [["X-Sum", "1"]],
})
const answer = (parts: Partial<Answer> = {}): Answer => ({
  status: 200,
  reason: "OK",
  minorVersion: 1,
  fields: [],
  hints: 0,
  body: length(2),
  at: "the end of the request",
  keepAlive: true,
  splits: [],
  breaks: undefined,
  ...parts,
})
const exchange = (parts: Partial<Exchange> = {}): Exchange => ({
  method: "GET",
  target: "",
  minorVersion: 1,
  fields: [],
  nominates: false,
  keepAlive: true,
  body: { framing: "none" },
  expectsContinue: false,
  splits: [],
  client: { does: "waits" },
  answer: answer(),
  ...parts,
})
const sizes = [0, 1, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 1_100_000]

export const regressions: readonly KnownScene[] = [
  {
    name: "statuses that HTTP/2 has not, and content that it does not say",
    scene: {
      connections: [
        {
          pipelined: false,
          exchanges: [599, 600, 999, 205].map((status) => exchange({ answer: answer({ status }) })),
        },
      ],
    },
  },
  ...sizes.map((bytes) => ({
    name: `bodies of ${bytes} bytes in every framing, both ways, one after the other`,
    scene: {
      connections: [false, true].map((pipelined) => ({
        pipelined,
        exchanges: [length(bytes), chunked(bytes)].flatMap((body) =>
          [length(bytes), chunked(bytes)].map((answered) =>
            exchange({ method: "POST", body, answer: answer({ body: answered }) }),
          ),
        ),
      })),
    },
  })),
  {
    name: "a body that ends with the upstream's connection, and one that is reset there",
    scene: {
      connections: ([undefined, { part: 0.9, how: "reset" }] as const).map((breaks) => ({
        pipelined: false,
        exchanges: [1, 70_000].map((bytes) =>
          exchange({
            answer: answer({ body: { framing: "close", bytes, offset: 0 }, keepAlive: false, breaks }),
          }),
        ),
      })),
    },
  },
  {
    name: "clients that leave in every part of a request, beside one that stays",
    scene: {
      connections: [0, 0.1, 0.5, 0.9, 0.999].map((part) => ({
        pipelined: true,
        exchanges: [
          exchange(),
          exchange({
            method: "PUT",
            body: chunked(300_000),
            client: { does: "leaves while it sends", part },
          }),
        ],
      })),
    },
  },
]
