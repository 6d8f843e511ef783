// One client's connection: its requests one after the other, its answers in order, and what is no request.
import { describe, expect, test } from "vitest"
import { Connected, get, post } from "../support/connected.ts"

describe("requests one after the other", () => {
  test("a pipelined request is handed over when the one before is answered, and not earlier", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2"))
    const before = client.targets
    client.answers("<1>")
    expect([before, client.targets]).toEqual([["/1"], ["/1", "/2"]])
  })

  test("pipelined requests are answered in their order", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2") + get("/3"))
    for (const answer of ["<1>", "<2>", "<3>"]) client.answers(answer)
    expect([client.targets, client.socket.text]).toEqual([["/1", "/2", "/3"], "<1><2><3>"])
  })

  test("requests that are answered while they are handed over all get their answers", () => {
    const client = new Connected()
    client.onRequest = () => queueMicrotask(() => client.answers("<x>"))
    client.socket.send(get("/1"))
    client.socket.send(get("/2") + get("/3"))
    return expect.poll(() => client.socket.text).toBe("<x><x><x>")
  })

  test("a request in single bytes is one request", () => {
    const client = new Connected()
    for (const byte of post("body")) client.socket.send(byte)
    expect(client.serving[0]?.told.filter((said) => said !== "paused")).toEqual([
      "body b",
      "body o",
      "body d",
      "body y",
      'end ""',
    ])
  })

  test("a client that pipelines much is not read on until its answers have caught up", () => {
    const client = new Connected()
    client.socket.send(get("/").repeat(3000))
    const heldBefore = client.socket.held
    for (let answer = 0; answer < 2000; answer++) client.answers("<1>")
    expect([heldBefore, client.socket.held, client.targets.length]).toEqual([true, false, 2001])
  })

  test("a handler learns when all that arrived has been read and the request is not whole", () => {
    const client = new Connected()
    client.socket.send(post("ab", 4))
    client.socket.send("cd")
    expect(client.serving[0]?.told).toEqual(["body ab", "paused", "body cd", 'end ""'])
  })

  test("after an answer the connection closes when it must", () => {
    const client = new Connected()
    client.socket.send(get("/1") + get("/2"))
    client.answers("<1>", false)
    expect([client.socket.ended, client.targets]).toEqual([true, ["/1"]])
  })
})

describe("a request that is not valid HTTP", () => {
  test("is refused, and the connection ends", () => {
    const client = new Connected()
    client.socket.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    expect([client.socket.text, client.socket.ended, client.serving.length]).toEqual(["<400>", true, 0])
  })

  test("behind a valid one is refused after that one's answer", () => {
    const client = new Connected()
    client.socket.send(`${get("/1")}nonsense\r\n\r\n`)
    const before = client.socket.text
    client.answers("<200>")
    expect([before, client.socket.text, client.socket.ended]).toEqual(["", "<200><400>", true])
  })

  test("makes no request of what follows", () => {
    const client = new Connected()
    client.socket.send(`nonsense\r\n\r\n${get("/smuggled")}`)
    client.socket.send(get("/smuggled"))
    expect(client.serving).toEqual([])
  })

  test("in the middle of its body ends what was begun, and is refused", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    expect([client.serving[0]?.told, client.socket.text]).toEqual([["gone"], "<400>"])
  })

  test("in the middle of its body, with the answer begun, breaks the connection instead of writing a second answer", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    client.connection.write(Buffer.from("<200 begun>"))
    client.socket.send("zz\r\n")
    expect([client.socket.text, client.socket.wasReset]).toEqual(["<200 begun>", true])
  })

  test("in the middle of its body is refused although an informational answer went before", () => {
    const client = new Connected()
    client.socket.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    client.connection.client.goOn()
    client.socket.send("zz\r\n")
    expect(client.socket.text).toBe("HTTP/1.1 100 Continue\r\n\r\n<400>")
  })
})

describe("a connection that is taken over", () => {
  function takenOver(sent: string): { readonly client: Connected; readonly rest: () => string | undefined } {
    const client = new Connected()
    let rest: string | undefined
    client.onRequest = (connection) => connection.takeOver((bytes) => (rest = bytes.toString("latin1")))
    client.socket.send(sent)
    return { client, rest: () => rest }
  }

  test("hands on what followed the head", () => {
    expect(takenOver(`${get("/")}the rest`).rest()).toBe("the rest")
  })

  test("is not listened to any more", () => {
    const { client } = takenOver(get("/"))
    expect(["data", "end", "drain", "close"].map((event) => client.socket.listenerCount(event))).toEqual([
      0, 0, 0, 0,
    ])
  })

  test("is not kept among the connections", () => {
    expect(takenOver(get("/")).client.closed).toBe(1)
  })
})
