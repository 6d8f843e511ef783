// Rows 26 to 29, 37 and 41: connections that end early, go on, or say what nobody asked for.
import {
  answered,
  awaits,
  type Case,
  ends,
  forwarded,
  gets,
  head,
  isOn,
  killsAgent,
  leaves,
  ok,
  okAnswered,
  plainGet,
  plainGetForwarded,
  resets,
  says,
  seesAbort,
  seesEnd,
  seesReset,
  seesWaiting,
  startsAgent,
  tells,
} from "../case.ts"
import { refusal } from "../template.ts"
import { badResponse } from "./common.ts"

const post = ["POST /once HTTP/1.1", "Host: a"]
const toMortal = (method: string): string => head(`${method} / HTTP/1.1`, "Host: mortal.example")
const mortalForwarded = (method: string): string =>
  forwarded([`${method} / HTTP/1.1`, "Host: mortal.example"], "mortal.example")
const lost = refusal({
  status: 502,
  error: "connection_terminated",
  code: "agent_lost",
  forwarded: "maybe",
  connection: "keep",
})

const abortCases: readonly Case[] = [
  ...(
    [
      ["leaves", leaves],
      ["resets its connection", resets],
    ] as const
  ).flatMap(([what, goes]): Case[] => [
    {
      row: 26,
      title: `a client that ${what} while the upstream works ends the upstream's connection within a second`,
      rfc: "RFC 9112 §9.6",
      client: [says(plainGet), awaits("the upstream has it"), goes],
      upstream: [[gets(plainGetForwarded), tells("the upstream has it"), seesAbort]],
    },
    {
      row: 26,
      title: `a client that ${what} in the middle of its answer ends the upstream's connection within a second`,
      rfc: "RFC 9112 §9.6",
      client: [says(plainGet), gets(answered(["HTTP/1.1 200 OK", "Content-Length: 9"]), "abc"), goes],
      upstream: [
        [gets(plainGetForwarded), says(head("HTTP/1.1 200 OK", "Content-Length: 9"), "abc"), seesAbort],
      ],
    },
    {
      row: 26,
      title: `a client that ${what} in the middle of its request ends the upstream's connection within a second`,
      rfc: "RFC 9112 §8, §9.6",
      client: [says(head(...post, "Content-Length: 100000"), "abc"), awaits("the upstream has it"), goes],
      upstream: [
        [
          gets(forwarded([...post, "Content-Length: 100000"]), "abc"),
          tells("the upstream has it"),
          seesAbort,
        ],
      ],
    },
    {
      row: 26,
      title: `a client that ${what} while its request waits takes it out of the queue`,
      rfc: "RFC 9112 §9.6",
      tunnel: "mortal",
      setup: "tuned",
      leavesNoTrace: "waits-in-vain",
      client: [
        killsAgent,
        says(head("GET / HTTP/1.1", "Host: mortal.example", "Authorization: waits-in-vain")),
        seesWaiting(1),
        goes,
        seesWaiting(0),
        startsAgent,
      ],
    },
  ]),
  {
    row: 27,
    title: "a client that ends its side behind a whole request gets its answer, and then the end",
    rfc: "RFC 9112 §9.6",
    client: [says(plainGet), ends, gets(okAnswered), seesEnd],
    upstream: [[gets(plainGetForwarded), says(ok)]],
  },
  {
    row: 27,
    title: "… and so with several requests at once",
    rfc: "RFC 9112 §9.3.2, §9.6",
    client: [
      says(head(...post, "Content-Length: 3"), "abc", plainGet),
      ends,
      gets(okAnswered, okAnswered),
      seesEnd,
    ],
    upstream: [
      [gets(forwarded([...post, "Content-Length: 3"]), "abc"), says(ok)],
      [gets(plainGetForwarded), says(ok)],
    ],
  },
  {
    row: 27,
    title:
      "a client that ends its side in the middle of its head gets the end, and nothing reaches the upstream",
    rfc: "RFC 9112 §8",
    client: [says("GET / HTTP/1.1\r\nHost: a\r\n"), ends, seesEnd],
  },
]

const retryCases: readonly Case[] = [
  ...(
    [
      ["ends", ends],
      ["resets", resets],
    ] as const
  ).flatMap(([what, breaks]): Case[] => [
    {
      row: 28,
      title: `a GET on a kept connection that the upstream ${what} just then goes once more, on a new one`,
      rfc: "RFC 9112 §9.3.1, RFC 9110 §9.2.2",
      client: [says(plainGet), gets(okAnswered), says(plainGet), gets(okAnswered)],
      upstream: [
        [gets(plainGetForwarded), says(ok)],
        [isOn("kept"), gets(plainGetForwarded), breaks],
        [isOn("new"), gets(plainGetForwarded), says(ok)],
      ],
    },
    {
      row: 28,
      title: `a POST on a kept connection that the upstream ${what} just then reaches it once and is a bad gateway`,
      rfc: "RFC 9110 §9.2.2",
      client: [
        says(plainGet),
        gets(okAnswered),
        says(head(...post, "Content-Length: 3"), "abc"),
        gets(
          refusal({
            status: 502,
            error: "http_response_incomplete",
            code: "upstream_terminated",
            forwarded: "maybe",
            connection: "keep",
          }),
        ),
      ],
      upstream: [
        [gets(plainGetForwarded), says(ok)],
        [isOn("kept"), gets(forwarded([...post, "Content-Length: 3"]), "abc"), breaks],
      ],
    },
  ]),
  {
    row: 29,
    title: "a POST whose agent dies reaches the upstream once, and the client hears that it may have",
    rfc: "RFC 9110 §9.2.2, RFC 9209 §2.3.10",
    tunnel: "mortal",
    client: [says(toMortal("POST")), gets(lost)],
    upstream: [[gets(mortalForwarded("POST")), killsAgent, startsAgent]],
  },
  {
    row: 29,
    title: "a POST with an Idempotency-Key is not repeated either: the key is between client and upstream",
    rfc: "RFC 9110 §9.2.2",
    tunnel: "mortal",
    client: [says(head("POST / HTTP/1.1", "Host: mortal.example", "Idempotency-Key: 1")), gets(lost)],
    upstream: [
      [
        gets(forwarded(["POST / HTTP/1.1", "Host: mortal.example", "Idempotency-Key: 1"], "mortal.example")),
        killsAgent,
        startsAgent,
      ],
    ],
  },
  {
    row: 29,
    title: "a GET whose agent dies is given to the next one",
    rfc: "RFC 9110 §9.2.2",
    tunnel: "mortal",
    client: [says(toMortal("GET")), gets(okAnswered)],
    upstream: [
      [gets(mortalForwarded("GET")), killsAgent, startsAgent],
      [gets(mortalForwarded("GET")), says(ok)],
    ],
  },
  {
    row: 29,
    title: "a GET whose agent dies once its answer has begun breaks the client's connection",
    rfc: "RFC 9112 §8",
    tunnel: "mortal",
    client: [
      says(toMortal("GET")),
      gets(answered(["HTTP/1.1 200 OK", "Content-Length: 9"]), "abc"),
      tells("it has begun"),
      seesReset,
    ],
    upstream: [
      [
        gets(mortalForwarded("GET")),
        says(head("HTTP/1.1 200 OK", "Content-Length: 9"), "abc"),
        awaits("it has begun"),
        killsAgent,
        startsAgent,
      ],
    ],
  },
]

const orderCases: readonly Case[] = [
  {
    row: 37,
    title: "a switch of protocols that nobody asked for is a bad gateway",
    rfc: "RFC 9110 §15.2.2, RFC 9112 §9.2",
    ...badResponse(`${head("HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: x")}hidden`, {
      error: "http_protocol_error",
      code: "upstream_protocol",
    }),
  },
  {
    row: 37,
    title: "what an upstream says on an idle connection reaches nobody, and the connection is closed",
    rfc: "RFC 9112 §9.2",
    client: [says(plainGet), gets(okAnswered), tells("it is answered")],
    upstream: [[gets(plainGetForwarded), says(ok), awaits("it is answered"), says(ok), seesAbort]],
  },
  {
    row: 41,
    title: "pipelined requests are answered in order, each after the one before",
    rfc: "RFC 9112 §9.3.2",
    client: [
      says(
        plainGet,
        head(...post, "Content-Length: 3"),
        "abc",
        head("HEAD /h HTTP/1.1", "Host: a"),
        plainGet,
      ),
      gets(answered(["HTTP/1.1 200 OK", "Content-Length: 1"]), "1"),
      gets(answered(["HTTP/1.1 201 Created", "Content-Length: 1"]), "2"),
      gets(answered(["HTTP/1.1 200 OK", "Content-Length: 7"])),
      gets(okAnswered),
    ],
    upstream: [
      [gets(plainGetForwarded), says(head("HTTP/1.1 200 OK", "Content-Length: 1"), "1")],
      [
        gets(forwarded([...post, "Content-Length: 3"]), "abc"),
        says(head("HTTP/1.1 201 Created", "Content-Length: 1"), "2"),
      ],
      [gets(forwarded(["HEAD /h HTTP/1.1", "Host: a"])), says(head("HTTP/1.1 200 OK", "Content-Length: 7"))],
      [gets(plainGetForwarded), says(ok)],
    ],
  },
  {
    row: 41,
    title: "what follows a request that closes the connection is not served",
    rfc: "RFC 9112 §9.6",
    client: [
      says(head("GET / HTTP/1.1", "Host: a", "Connection: close"), plainGet),
      gets(okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: close\r\n\r\nok")),
      seesEnd,
    ],
    upstream: [[gets(plainGetForwarded), says(ok)]],
  },
]

export const connectionCases: readonly Case[] = [...abortCases, ...retryCases, ...orderCases]
