// Row 32: a connection that switches to another protocol, seen as bytes.
import {
  answered,
  awaits,
  type Case,
  ends,
  forwarded,
  gets,
  head,
  isOn,
  ok,
  okAnswered,
  plainGet,
  plainGetForwarded,
  resets,
  says,
  seesEnd,
  seesReset,
  type Step,
  tells,
} from "../case.ts"
import { refusal } from "../template.ts"

const fields = [
  "GET /chat HTTP/1.1",
  "Host: a",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol: chat, superchat",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-unknown",
]
const asked = head(...fields, "Connection: keep-alive, Upgrade", "Upgrade: websocket")
const askedForwarded = `${forwarded(fields).slice(0, -2)}${head("Connection: Upgrade", "Upgrade: websocket")}`
const accepted = [
  "HTTP/1.1 101 Switching Protocols",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  "Sec-WebSocket-Protocol: superchat",
  "Sec-WebSocket-Extensions: permessage-deflate",
]
const switched = head(...accepted, "Connection: Upgrade", "Upgrade: websocket")
const switchedAnswered = `${answered(accepted).slice(0, -2)}${head("Connection: Upgrade", "Upgrade: websocket")}`
const everyOctet = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join("")
/** A text frame in two fragments with a ping between them, and a close with a code of its own, as a server sends them. */
const frames = "\x01\x02He\x89\x04ping\x80\x03llo\x88\x02\x0f\xa1"

/** Both ends do this once the protocol is switched. */
const after = (client: readonly Step[], upstream: readonly Step[]): Pick<Case, "client" | "upstream"> => ({
  client: [says(asked), gets(switchedAnswered), ...client],
  upstream: [[isOn("new"), gets(askedForwarded), says(switched), ...upstream]],
})

/** The upstream is asked for no switch, whatever the client said. */
const plain = (
  request: string,
  expected: string,
  answer: string = okAnswered,
): Pick<Case, "client" | "upstream"> => ({
  client: [says(request), gets(answer)],
  upstream: [[gets(expected), says(ok)]],
})

export const upgradeCases: readonly Case[] = [
  {
    row: 32,
    title:
      "a switch of protocols crosses with its subprotocols and extensions, and every octet after it, both ways",
    rfc: "RFC 9110 §7.8, RFC 6455 §4.1, §4.2.2",
    ...after(
      [says(everyOctet), gets(everyOctet), ends, seesEnd],
      [gets(everyOctet), says(everyOctet), seesEnd, ends],
    ),
  },
  {
    row: 32,
    title: "fragments, pings and close codes cross as they are",
    rfc: "RFC 6455 §5.4, §5.5, §7.4",
    ...after([gets(frames), says(frames), seesEnd, ends], [says(frames), gets(frames), ends, seesEnd]),
  },
  {
    row: 32,
    title: "one direction may end before the other",
    rfc: "RFC 9110 §7.8",
    ...after(
      [says("last words"), ends, gets("and an answer"), seesEnd],
      [gets("last words"), seesEnd, says("and an answer"), ends],
    ),
  },
  {
    row: 32,
    title: "an upstream that breaks off breaks the client's connection",
    rfc: "RFC 9110 §7.8",
    ...after([says("a"), seesReset], [gets("a"), resets]),
  },
  {
    row: 32,
    title: "a client that breaks off breaks the upstream's connection",
    rfc: "RFC 9110 §7.8",
    ...after([gets("a"), tells("it has begun"), resets], [says("a"), awaits("it has begun"), seesReset]),
  },
  {
    row: 32,
    title: "what follows the 101 in the same packet is the new protocol's",
    rfc: "RFC 9110 §7.8, §15.2.2",
    client: [says(asked), gets(switchedAnswered, frames), ends, seesEnd],
    upstream: [[gets(askedForwarded), says(switched, frames), seesEnd, ends]],
  },
  {
    row: 32,
    title: "what a client says before the 101 reaches the upstream behind it",
    rfc: "RFC 9110 §7.8",
    client: [says(asked, "too eager"), gets(switchedAnswered), ends, seesEnd],
    upstream: [[gets(askedForwarded), says(switched), gets("too eager"), seesEnd, ends]],
  },
  {
    row: 32,
    title: "an upstream that does not switch answers like any other, and the next request is served",
    rfc: "RFC 9110 §7.8",
    client: [
      says(asked, plainGet),
      gets(answered(["HTTP/1.1 403 Forbidden", "Content-Length: 2"]), "no"),
      gets(okAnswered),
    ],
    upstream: [
      [gets(askedForwarded), says(head("HTTP/1.1 403 Forbidden", "Content-Length: 2"), "no")],
      [gets(plainGetForwarded), says(ok)],
    ],
  },
  {
    row: 32,
    title: "a switch to something that nobody offered is a bad gateway",
    rfc: "RFC 9110 §7.8, RFC 9209 §2.3.25",
    client: [
      says(asked),
      gets(
        refusal({
          status: 502,
          error: "http_upgrade_failed",
          code: "upgrade_failed",
          forwarded: "maybe",
          connection: "keep",
        }),
      ),
    ],
    upstream: [
      [
        gets(askedForwarded),
        says(head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: other")),
      ],
    ],
  },
  {
    row: 32,
    title: "h2c is never offered to the upstream",
    rfc: "RFC 9113 §3.1, RFC 9110 §7.8",
    ...plain(
      head(
        "GET /chat HTTP/1.1",
        "Host: a",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
      ),
      forwarded(["GET /chat HTTP/1.1", "Host: a"]),
    ),
  },
  {
    row: 32,
    title: "of several protocols those go on that an upstream may switch to",
    rfc: "RFC 9110 §7.8",
    ...plain(
      head("GET /chat HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: h2c, websocket", "Upgrade: x/1"),
      `${forwarded(["GET /chat HTTP/1.1", "Host: a"]).slice(0, -2)}${head("Connection: Upgrade", "Upgrade: websocket, x/1")}`,
    ),
  },
  {
    row: 32,
    title: "Upgrade of an HTTP/1.0 request is ignored",
    rfc: "RFC 9110 §7.8",
    ...plain(
      head("GET /chat HTTP/1.0", "Host: a", "Connection: Upgrade, keep-alive", "Upgrade: websocket"),
      forwarded(["GET /chat HTTP/1.1", "Host: a"], "a", "1.0"),
      okAnswered.replace(/\r\n\r\nok$/, "\r\nConnection: keep-alive\r\n\r\nok"),
    ),
  },
  {
    row: 32,
    title: "Upgrade of a request with a body is not passed on, as a server may ignore it",
    rfc: "RFC 9110 §7.8",
    ...plain(
      `${head("POST /chat HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 2")}ab`,
      `${forwarded(["POST /chat HTTP/1.1", "Host: a", "Content-Length: 2"])}ab`,
    ),
  },
]
