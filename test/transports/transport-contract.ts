// What every transport promises, as a suite that each of them runs: a real edge and a real agent in this process, and
// between them a path that cuts, stalls and buffers.
import { Secret } from "@restante/protocol"
import { afterEach, describe, expect, test, vi } from "vitest"
import { begin, fetchWhole, RawClient } from "../support/client.ts"
import { bodyOf, httpUpstream } from "../support/upstream.ts"
import type { WorldOptions } from "./world.ts"
import { eventually, World } from "./world.ts"

const mib = 1024 * 1024

/** Bytes of which no two stretches are alike, so that a lost, doubled or displaced one shows. */
function distinctBytes(count: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(count / 4))
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index + seed, 2_654_435_761)
  return Buffer.from(words.buffer, 0, count)
}

export function transportContract(name: string, options: Pick<WorldOptions, "transport" | "path">): void {
  describe(`${name} keeps the contract of a transport`, () => {
    afterEach(() => {
      vi.useRealTimers()
    })

    test("large bodies cross both ways at once, byte for byte", async () => {
      await using upstream = await httpUpstream((request, response) => request.pipe(response))
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const body = distinctBytes(4 * mib)
      const answer = await fetchWhole(`${world.url}/echo`, { method: "POST", body })
      expect(answer.body.equals(body)).toBe(true)
    })

    test("many exchanges at once do not get in each other's way", async () => {
      await using upstream = await httpUpstream((request, response) => request.pipe(response))
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const bodies = Array.from({ length: 100 }, (_, index) => `body ${index} `.repeat(index * 20))
      const answers = await Promise.all(
        bodies.map((body) => fetchWhole(`${world.url}/echo`, { method: "POST", body })),
      )
      expect(answers.map(({ text }) => text)).toEqual(bodies)
    })

    test("under repeated cuts every unsafe request is run exactly once and answered", async () => {
      await using upstream = await httpUpstream((request, response) => {
        void bodyOf(request).then((body) => response.end(`${request.url} ${body.length}`))
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      world.relay.cutEvery(25_000)
      const targets = Array.from({ length: 120 }, (_, index) => `/${index}`)
      const ask = async (target: string): Promise<string> =>
        (await fetchWhole(`${world.url}${target}`, { method: "POST", body: "x".repeat(2000) })).text
      const texts = await inTurns(6, targets, ask)
      expect(texts).toEqual(targets.map((target) => `${target} 2000`))
      expect(upstream.seen.toSorted()).toEqual(targets.map((target) => `POST ${target}`).toSorted())
      expect(world.relay.cuts).toBeGreaterThan(5)
    })

    test("a download goes on after each of several cuts, byte for byte", async () => {
      const body = distinctBytes(5 * mib)
      await using upstream = await httpUpstream((_request, response) => response.end(body))
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      world.relay.cutEvery(1.5 * mib)
      const answer = await fetchWhole(`${world.url}/file`)
      expect([answer.body.equals(body), world.relay.cuts > 1]).toEqual([true, true])
    })

    test("an upload goes on after each of several cuts, byte for byte", async () => {
      const body = distinctBytes(5 * mib)
      const received: Buffer[] = []
      await using upstream = await httpUpstream((request, response) => {
        request.on("data", (bytes: Buffer) => received.push(bytes))
        request.on("end", () => response.end("thanks"))
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      world.relay.cutEvery(1.5 * mib)
      const answer = await fetchWhole(`${world.url}/upload`, { method: "PUT", body })
      expect([answer.text, Buffer.concat(received).equals(body), world.relay.cuts > 1]).toEqual([
        "thanks",
        true,
        true,
      ])
    })

    test("a client that reads nothing stops the upstream, and others are served meanwhile", async () => {
      const chunk = distinctBytes(256 * 1024)
      let producedBytes = 0
      let blocked = false
      await using upstream = await httpUpstream((request, response) => {
        if (request.url === "/small") return void response.end("small")
        const produce = (): void => {
          blocked = false
          while (producedBytes < 64 * mib) {
            producedBytes += chunk.length
            if (response.write(chunk)) continue
            blocked = true
            response.once("drain", produce)
            return
          }
          response.end()
        }
        produce()
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      using slow = new RawClient(world.edgePort)
      slow.socket.pause()
      slow.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
      await eventually("the upstream to be blocked", () => producedBytes > 0 && blocked)
      for (let round = 0; round < 50; round++) {
        // oxlint-disable-next-line no-await-in-loop -- time passes by work that is done
        await fetchWhole(`${world.url}/small`)
      }
      expect(producedBytes).toBeLessThan(32 * mib)
    })

    test("a slow client gets everything in the end", async () => {
      const body = distinctBytes(3 * mib)
      await using upstream = await httpUpstream((_request, response) => response.end(body))
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const response = await begin(`${world.url}/file`)
      for (let round = 0; round < 10; round++) {
        // oxlint-disable-next-line no-await-in-loop -- time passes by work that is done
        await fetchWhole(`${world.url}/small`, { method: "HEAD" })
      }
      expect((await bodyOf(response)).equals(body)).toBe(true)
    })

    test("a client that leaves before the answer is gone for the upstream too", async () => {
      const left = Promise.withResolvers<string>()
      await using upstream = await httpUpstream((request, response) => {
        response.on("close", () => left.resolve(request.url ?? ""))
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const client = new RawClient(world.edgePort).send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
      await eventually("the upstream to have it", () => upstream.seen.length === 1)
      client[Symbol.dispose]()
      expect(await left.promise).toBe("/wait")
    })

    test("a client that leaves in the middle of the answer is gone for the upstream too", async () => {
      const left = Promise.withResolvers<string>()
      await using upstream = await httpUpstream((request, response) => {
        response.on("close", () => left.resolve(request.url ?? ""))
        response.write("the first part")
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const client = new RawClient(world.edgePort).send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
      await client.receives(/the first part/)
      client[Symbol.dispose]()
      expect(await left.promise).toBe("/stream")
    })

    test("a client that leaves while the path is cut is gone for the upstream when the path is back", async () => {
      const left = Promise.withResolvers<string>()
      await using upstream = await httpUpstream((request, response) => {
        response.on("close", () => left.resolve(request.url ?? ""))
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const client = new RawClient(world.edgePort).send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
      await eventually("the upstream to have it", () => upstream.seen.length === 1)
      world.relay.refuse(true)
      world.relay.cut()
      client[Symbol.dispose]()
      await eventually("the edge to know it", async () => (await world.status()).exchanges.live === 0)
      world.relay.refuse(false)
      expect(await left.promise).toBe("/wait")
    })

    test("an answer that breaks off at the upstream never looks whole", async () => {
      await using upstream = await httpUpstream((_request, response) => {
        response.write("the first part")
        setImmediate(() => response.destroy())
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      using client = new RawClient(world.edgePort).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      expect(await client.ended()).toBe("reset")
    })

    test("an agent that stops finishes what runs and leaves the edge at once", async () => {
      const may = Promise.withResolvers<void>()
      await using upstream = await httpUpstream((_request, response) => {
        response.write("begun ")
        void may.promise.then(() => response.end("ended"))
      })
      await using world = await World.open({ ...options, upstream })
      const agent = await world.attached()
      const response = await begin(`${world.url}/`)
      const stopped = agent.stop()
      may.resolve()
      const body = await bodyOf(response)
      await stopped
      expect([body.toString(), await world.sessions()]).toEqual(["begun ended", 0])
    })

    test("an agent that stops takes nothing more: the next one gets it", async () => {
      const may = Promise.withResolvers<void>()
      await using upstream = await httpUpstream((request, response) => {
        if (request.url === "/next") return void response.end("served")
        response.write("begun")
        void may.promise.then(() => response.end())
      })
      await using world = await World.open({ ...options, upstream })
      const agent = await world.attached()
      const running = await begin(`${world.url}/running`)
      const stopped = agent.stop()
      await eventually("the edge to know it", async () => {
        void fetchWhole(`${world.url}/probe`, { method: "HEAD" }).catch(() => undefined)
        return (await world.status()).queue.waiting > 0
      })
      const next = fetchWhole(`${world.url}/next`, { method: "POST" })
      may.resolve()
      await bodyOf(running)
      await stopped
      const seenBefore = upstream.seen.includes("POST /next")
      await world.attached()
      expect([seenBefore, (await next).text]).toEqual([false, "served"])
    })

    test("an edge that stops finishes what runs", async () => {
      const body = distinctBytes(2 * mib)
      const may = Promise.withResolvers<void>()
      await using upstream = await httpUpstream((_request, response) => {
        response.write(body)
        void may.promise.then(() => response.end(body))
      })
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      const response = await begin(`${world.url}/`)
      const stopped = world.edge.stop()
      may.resolve()
      const received = await bodyOf(response)
      await stopped
      // So that the agent has somebody to say goodbye to.
      await world.restartEdge()
      expect(received.equals(Buffer.concat([body, body]))).toBe(true)
    })

    test("an edge that has forgotten the session is attached to anew", async () => {
      await using upstream = await httpUpstream((_request, response) => response.end("served"))
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      await world.restartEdge()
      expect((await fetchWhole(`${world.url}/`)).text).toBe("served")
    })

    test("an agent's status tells an outage, and that it is over", async () => {
      await using upstream = await httpUpstream((_request, response) => response.end())
      await using world = await World.open({ ...options, upstream })
      const agent = await world.attached()
      world.relay.refuse(true)
      world.relay.cut()
      await eventually("the outage to be told", () => agent.status().link.kind === "reconnecting")
      world.relay.refuse(false)
      await world.isAttached(agent)
      expect(agent.status().lastErrors.length).toBeGreaterThan(0)
    })

    test("a path that swallows everything without a word is left for another one", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
      await using upstream = await httpUpstream((_request, response) => response.end("served"))
      await using world = await World.open({ ...options, upstream, edge: { timeoutMs: 600_000 } })
      await world.attached()
      world.relay.stall()
      const startedAt = Date.now()
      let text = ""
      void fetchWhole(`${world.url}/`).then((answer) => (text = answer.text))
      await eventually("the answer, a minute later at most", async () => {
        vi.advanceTimersByTime(250)
        await new Promise((resolve) => setImmediate(resolve))
        return text !== "" || Date.now() > startedAt + 60_000
      })
      vi.useRealTimers() // for the farewells
      expect(text).toBe("served")
    })

    test("a process that starts where a dead one was gets at once what that one had been given", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }) // "at once": no time passes
      await using upstream = await httpUpstream(() => {})
      await using world = await World.open({ ...options, upstream })
      const doomed = await world.process("the-same-place", { answers: false })
      const answer = fetchWhole(`${world.url}/`)
      await eventually("the first to have it", () => doomed.opened.length === 1)
      await doomed.die()
      await eventually("the edge to see it die", async () => (await world.sessions()) === 0)
      await world.process("the-same-place", { answers: true })
      expect((await answer).headers["x-attempt"]).toBe("2")
    })

    test("an agent with a wrong token says so, and does not get in", async () => {
      await using upstream = await httpUpstream((_request, response) => response.end())
      await using world = await World.open({ ...options, upstream })
      const agent = await world.agent({ token: new Secret("a wrong token") })
      await eventually("it to say so", () => agent.status().lastErrors.length > 0)
      expect([agent.status().lastErrors[0]?.remedy, await world.sessions()]).toEqual([
        expect.stringContaining("refuses the token"),
        0,
      ])
    })

    test("what was sent during an outage arrives when it is over", async () => {
      await using upstream = await httpUpstream((request, response) => request.pipe(response))
      await using world = await World.open({ ...options, upstream })
      await world.attached()
      world.relay.refuse(true)
      world.relay.cut()
      const answer = fetchWhole(`${world.url}/`, { method: "POST", body: "held" })
      await eventually("the edge to have it", async () => (await world.status()).exchanges.live === 1)
      world.relay.refuse(false)
      expect((await answer).text).toBe("held")
    })
  })
}

/** What `step` gives for each of them, in their order; so many of them run at a time. */
async function inTurns<T, R>(
  atATime: number,
  items: readonly T[],
  step: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in each of the workers
      results[index] = await step(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  return results
}
