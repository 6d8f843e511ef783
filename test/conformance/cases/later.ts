// Rows 46 and 47, as far as they concern what there is today: fields and statuses of features that are not ours cross.
import { answered, answers, type Case, forwarded, head, passes } from "../case.ts"

export const laterCases: readonly Case[] = [
  {
    row: 46,
    title: "Early-Data of a proxy in front crosses",
    rfc: "RFC 8470 §5.1",
    ...passes(
      head("GET / HTTP/1.1", "Host: a", "Early-Data: 1"),
      forwarded(["GET / HTTP/1.1", "Host: a", "Early-Data: 1"]),
    ),
  },
  {
    row: 46,
    title: "425 Too Early of the upstream crosses",
    rfc: "RFC 8470 §5.2",
    ...answers(
      `${head("HTTP/1.1 425 Too Early", "Content-Length: 2")}no`,
      answered(["HTTP/1.1 425 Too Early", "Content-Length: 2"]),
      "no",
    ),
  },
  {
    row: 47,
    title: "Prefer and Idempotency-Key cross untouched, and nothing is answered in the upstream's place",
    rfc: "RFC 7240 §2, §4.1",
    ...passes(
      head("POST / HTTP/1.1", "Host: a", "Prefer: respond-async, wait=10", 'Idempotency-Key: "8e03978e"'),
      forwarded([
        "POST / HTTP/1.1",
        "Host: a",
        "Prefer: respond-async, wait=10",
        'Idempotency-Key: "8e03978e"',
      ]),
    ),
  },
  {
    row: 47,
    title: "202 with Location and Preference-Applied of the upstream cross",
    rfc: "RFC 7240 §3, RFC 9110 §15.3.3",
    ...answers(
      head(
        "HTTP/1.1 202 Accepted",
        "Location: /jobs/1",
        "Preference-Applied: respond-async",
        "Content-Length: 0",
      ),
      answered([
        "HTTP/1.1 202 Accepted",
        "Location: /jobs/1",
        "Preference-Applied: respond-async",
        "Content-Length: 0",
      ]),
    ),
  },
]
