// Row 1: what belongs to one connection stays on it, in both directions.
import { answered, answers, type Case, forwarded, head, okAnswered, passes } from "../case.ts"

const get = "GET /hop HTTP/1.1"

export const hopByHopCases: readonly Case[] = [
  {
    row: 1,
    title: "fields of the client's connection stop at the edge",
    rfc: "RFC 9110 §7.6.1, §11.7",
    ...passes(
      head(
        get,
        "Host: a",
        "Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "TE: gzip",
        "Upgrade: secret/1",
        "Proxy-Authorization: Basic c2VjcmV0",
        "Proxy-Authenticate: Basic",
        "Kept: 1",
      ),
      forwarded([get, "Host: a", "Kept: 1"]),
    ),
  },
  {
    row: 1,
    title: "a field that the client's Connection names stops at the edge, however it is written",
    rfc: "RFC 9110 §7.6.1",
    ...passes(
      head(get, "Host: a", "Connection: x-SECRET ,, Other", "X-Secret: 1", "oTHER: 2", "Others: 3"),
      forwarded([get, "Host: a", "Others: 3"]),
    ),
  },
  {
    row: 1,
    title: "Connection in several lines is one list",
    rfc: "RFC 9110 §7.6.1, §5.3",
    ...passes(
      head(get, "Host: a", "Connection: X-One", "X-One: 1", "Connection: X-Two", "X-Two: 2"),
      forwarded([get, "Host: a"]),
    ),
  },
  {
    row: 1,
    title: "Connection cannot take away what frames, routes or authenticates a request",
    rfc: "RFC 9110 §7.6.1",
    ...passes(
      `${head("POST /hop HTTP/1.1", "Host: a", "Connection: Content-Length, Host, Cookie, Authorization, X-Forwarded-For", "Content-Length: 2", "Cookie: a=1", "Authorization: Basic eA==")}ab`,
      `${forwarded(["POST /hop HTTP/1.1", "Host: a", "Content-Length: 2", "Cookie: a=1", "Authorization: Basic eA=="])}ab`,
    ),
  },
  {
    row: 1,
    title: "TE: trailers is said anew to the upstream, and nothing else of TE",
    rfc: "RFC 9110 §10.1.4",
    ...passes(
      head(get, "Host: a", "TE: gzip;q=0.5, trailers", "Connection: TE"),
      `${forwarded([get, "Host: a"]).slice(0, -2)}TE: trailers\r\nConnection: TE\r\n\r\n`,
    ),
  },
  {
    row: 1,
    title: "fields of the upstream's connection stop at the agent, also those that its Connection names",
    rfc: "RFC 9110 §7.6.1, §11.7",
    ...answers(
      `${head("HTTP/1.1 200 OK", "Connection: close, X-Secret", "X-Secret: 1", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Proxy-Connection: close", "Upgrade: h2c", "Content-Length: 2")}ok`,
      okAnswered,
    ),
  },
  {
    row: 1,
    title: "Connection cannot take away what frames or describes an answer",
    rfc: "RFC 9110 §7.6.1",
    ...answers(
      `${head("HTTP/1.1 200 OK", "Connection: Content-Length, Set-Cookie, Content-Type", "Content-Length: 2", "Content-Type: a/b", "Set-Cookie: a=1")}ok`,
      answered(["HTTP/1.1 200 OK", "Content-Length: 2", "Content-Type: a/b", "Set-Cookie: a=1"]),
      "ok",
    ),
  },
]
