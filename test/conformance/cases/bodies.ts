// Rows 21, 22, 24, 42, 44 and 45: methods, bodies that may not be, and bodies that break off.
import {
  answered,
  answers,
  type Case,
  ends,
  forwarded,
  gets,
  head,
  ok,
  okAnswered,
  passes,
  plainGet,
  plainGetForwarded,
  resets,
  says,
  type Step,
  seesAbort,
  seesEnd,
  seesReset,
  tells,
  awaits,
} from "../case.ts"
import { chunked, type Part, refusal } from "../template.ts"

/** No body follows; the connection goes on. */
const bodiless = (
  sent: readonly string[],
  arrives: readonly string[],
): Pick<Case, "client" | "upstream"> => ({
  client: [says(plainGet), gets(answered(arrives)), says(plainGet), gets(okAnswered)],
  upstream: [
    [gets(plainGetForwarded), says(head(...sent))],
    [gets(plainGetForwarded), says(ok)],
  ],
})

/** The upstream breaks off once the client has what came before; then the client's connection is reset. */
const brokenOff = (
  response: string,
  how: Step,
  ...before: readonly Part[]
): Pick<Case, "client" | "upstream"> => ({
  client: [says(plainGet), gets(...before), tells("it has begun"), seesReset],
  upstream: [[gets(plainGetForwarded), says(response), awaits("it has begun"), how]],
})

const long = head("HTTP/1.1 200 OK", "Content-Length: 10")
const chunks = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
const close = head("HTTP/1.1 200 OK", "Connection: close")
const longAnswered = answered(["HTTP/1.1 200 OK", "Content-Length: 10"])
const chunksAnswered = answered(["HTTP/1.1 200 OK"], "Transfer-Encoding: chunked")
const oneChunk = "3\r\nabc\r\n"
const incomplete = {
  status: 502,
  error: "http_response_incomplete",
  code: "upstream_terminated",
  forwarded: "maybe",
  connection: "keep",
} as const

const responseCases: readonly Case[] = [
  {
    row: 21,
    title: "an answer to HEAD keeps its Content-Length, has no body, and both connections go on",
    rfc: "RFC 9110 §9.3.2",
    client: [
      says(head("HEAD /h HTTP/1.1", "Host: a")),
      gets(answered(["HTTP/1.1 200 OK", "Content-Length: 3"])),
      says(plainGet),
      gets(okAnswered),
    ],
    upstream: [
      [gets(forwarded(["HEAD /h HTTP/1.1", "Host: a"])), says(head("HTTP/1.1 200 OK", "Content-Length: 3"))],
      [{ does: "is on", connection: "kept" }, gets(plainGetForwarded), says(ok)],
    ],
  },
  {
    row: 21,
    title: "an answer to HEAD that says it would be chunked has no body either",
    rfc: "RFC 9110 §9.3.2, RFC 9112 §6.3 item 1",
    client: [
      says(head("HEAD /h HTTP/1.1", "Host: a")),
      gets(answered(["HTTP/1.1 200 OK"])),
      says(plainGet),
      gets(okAnswered),
    ],
    upstream: [
      [gets(forwarded(["HEAD /h HTTP/1.1", "Host: a"])), says(chunks)],
      [gets(plainGetForwarded), says(ok)],
    ],
  },
  {
    row: 22,
    title: "204 loses its Content-Length",
    rfc: "RFC 9110 §8.6, §15.3.5",
    ...bodiless(
      ["HTTP/1.1 204 No Content", "Content-Length: 3", "X: 1"],
      ["HTTP/1.1 204 No Content", "X: 1"],
    ),
  },
  {
    row: 22,
    title: "204 loses its Transfer-Encoding",
    rfc: "RFC 9112 §6.1",
    ...bodiless(
      ["HTTP/1.1 204 No Content", "Transfer-Encoding: chunked", "X: 1"],
      ["HTTP/1.1 204 No Content", "X: 1"],
    ),
  },
  {
    row: 22,
    title: "what an upstream sends as the body of a 204 reaches nobody",
    rfc: "RFC 9112 §6.3 item 1, §9.2",
    ...answers(
      `${head("HTTP/1.1 204 No Content", "Content-Length: 3")}abc`,
      answered(["HTTP/1.1 204 No Content"]),
    ),
  },
  {
    row: 22,
    title: "304 keeps Content-Length and ETag and has no body",
    rfc: "RFC 9110 §15.4.5, §8.6",
    ...bodiless(
      ["HTTP/1.1 304 Not Modified", "Content-Length: 12345", 'ETag: "e"'],
      ["HTTP/1.1 304 Not Modified", "Content-Length: 12345", 'ETag: "e"'],
    ),
  },
  {
    row: 22,
    title: "205 with Content-Length: 0 crosses as it came",
    rfc: "RFC 9110 §15.3.6",
    ...bodiless(
      ["HTTP/1.1 205 Reset Content", "Content-Length: 0"],
      ["HTTP/1.1 205 Reset Content", "Content-Length: 0"],
    ),
  },
  {
    row: 24,
    title: "an upstream that ends before a response head is a bad gateway",
    rfc: "RFC 9112 §8, RFC 9209 §2.3.14",
    client: [says(head("POST / HTTP/1.1", "Host: a")), gets(refusal(incomplete))],
    upstream: [[gets(forwarded(["POST / HTTP/1.1", "Host: a"])), ends]],
  },
  {
    row: 24,
    title: "an upstream that ends in the middle of a head is a bad gateway",
    rfc: "RFC 9112 §8, RFC 9209 §2.3.14",
    client: [
      says(head("POST / HTTP/1.1", "Host: a")),
      gets(refusal({ ...incomplete, code: "upstream_incomplete" })),
    ],
    upstream: [[gets(forwarded(["POST / HTTP/1.1", "Host: a"])), says("HTTP/1.1 200 OK\r\nX: 1\r\n"), ends]],
  },
  ...(
    [
      ["ends inside of its Content-Length", `${long}abc`, ends, [longAnswered, "abc"]],
      ["is reset inside of its Content-Length", `${long}abc`, resets, [longAnswered, "abc"]],
      ["ends between chunks", `${chunks}${oneChunk}`, ends, [chunksAnswered, oneChunk]],
      ["is reset between chunks", `${chunks}${oneChunk}`, resets, [chunksAnswered, oneChunk]],
      ["ends inside of the last chunk", `${chunks}${oneChunk}0\r\n`, ends, [chunksAnswered, oneChunk]],
      ["ends inside of the trailers", `${chunks}${oneChunk}0\r\nX: 1\r\n`, ends, [chunksAnswered, oneChunk]],
      ["is reset before the end that would make it whole", `${close}abc`, resets, [chunksAnswered, oneChunk]],
    ] as const
  ).map(([what, response, how, before]) => ({
    row: 24,
    title: `an answer that ${what} breaks the client's connection`,
    rfc: "RFC 9112 §8",
    ...brokenOff(response, how, ...before),
  })),
  {
    row: 24,
    title: "an HTTP/1.0 client, whose body ends with the connection, sees a broken one as a reset",
    rfc: "RFC 9112 §8",
    client: [
      says(head("GET / HTTP/1.0", "Host: a")),
      gets(answered(["HTTP/1.1 200 OK"], "Connection: close"), "abc"),
      tells("it has begun"),
      seesReset,
    ],
    upstream: [
      [
        gets(forwarded(["GET / HTTP/1.1", "Host: a"], "a", "1.0")),
        says(`${chunks}${oneChunk}`),
        awaits("it has begun"),
        ends,
        seesEnd,
      ],
    ],
  },
  {
    row: 24,
    title: "a chunk that is none, in the middle of an answer, breaks the client's connection",
    rfc: "RFC 9112 §7.1, §8",
    client: [says(plainGet), gets(chunksAnswered, oneChunk), tells("it has begun"), seesReset],
    upstream: [
      [
        gets(plainGetForwarded),
        says(chunks, oneChunk),
        awaits("it has begun"),
        says("nonsense\r\n"),
        seesAbort,
      ],
    ],
  },
]

const requestCases: readonly Case[] = [
  ...["GET", "DELETE", "OPTIONS", "HEAD"].map((method) => ({
    row: 42,
    title: `a ${method} with a body reaches the upstream with it and its Content-Length`,
    rfc: "RFC 9110 §9.3.1",
    client: [
      says(head(`${method} /b HTTP/1.1`, "Host: a", "Content-Length: 5"), "hello"),
      gets(answered(["HTTP/1.1 200 OK", "Content-Length: 0"])),
    ],
    upstream: [
      [
        gets(forwarded([`${method} /b HTTP/1.1`, "Host: a", "Content-Length: 5"]), "hello"),
        says(head("HTTP/1.1 200 OK", "Content-Length: 0")),
      ],
    ],
  })),
  {
    row: 42,
    title: "a GET with a chunked body reaches the upstream with it",
    rfc: "RFC 9110 §9.3.1, RFC 9112 §6.1",
    client: [
      says(head("GET /b HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"), "5\r\nhello\r\n0\r\n\r\n"),
      gets(okAnswered),
    ],
    upstream: [
      [
        gets(
          forwarded(["GET /b HTTP/1.1", "Host: a"]).replace(/\r\n$/, "Transfer-Encoding: chunked\r\n\r\n"),
          chunked("hello"),
        ),
        says(ok),
      ],
    ],
  },
  ...["PROPFIND", "REPORT", "QUERY", "PATCH", "MKCOL", "FOO", "get", "X!#$%&'*+-.^_`|~9"].map((method) => ({
    row: 44,
    title: `the method ${method} crosses`,
    rfc: "RFC 9110 §9.1",
    ...passes(head(`${method} /m HTTP/1.1`, "Host: a"), forwarded([`${method} /m HTTP/1.1`, "Host: a"])),
  })),
  {
    row: 45,
    title: "two identical requests reach the upstream twice, however cacheable the answer is",
    rfc: "RFC 9111 §3",
    client: [
      says(plainGet),
      gets(answered(["HTTP/1.1 200 OK", "Cache-Control: max-age=3600", "Content-Length: 1"]), "1"),
      says(plainGet),
      gets(answered(["HTTP/1.1 200 OK", "Content-Length: 1"]), "2"),
    ],
    upstream: [
      [
        gets(plainGetForwarded),
        says(head("HTTP/1.1 200 OK", "Cache-Control: max-age=3600", "Content-Length: 1"), "1"),
      ],
      [gets(plainGetForwarded), says(head("HTTP/1.1 200 OK", "Content-Length: 1"), "2")],
    ],
  },
  {
    row: 45,
    title: "nothing of a request or of its answer stays in the queue when it is over",
    rfc: "RFC 9111 §3, RFC 9110 §17",
    leavesNoTrace: "unforgettable-secret",
    ...passes(
      `${head("POST /s HTTP/1.1", "Host: a", "Authorization: Bearer unforgettable-secret", "Content-Length: 20")}unforgettable-secret`,
      `${forwarded(["POST /s HTTP/1.1", "Host: a", "Authorization: Bearer unforgettable-secret", "Content-Length: 20"])}unforgettable-secret`,
    ),
  },
]

export const bodyCases: readonly Case[] = [...responseCases, ...requestCases]
