import { EventEmitter } from "node:events"
import { describe, expect, test } from "vitest"
import { CommandError } from "../../src/config/command-error.ts"
import { logDestination } from "../../src/config/log-line.ts"
import { exitCodeOf, listenProblem, serveUntil, stopSignal, textOutput } from "../../src/config/program.ts"

describe("exit codes", () => {
  test.each([
    ["a wrong command line", new CommandError("usage", "Say it right."), 2, "tool: Say it right.\n"],
    ["a failed start", new CommandError("startup", "The port is taken."), 1, "tool: The port is taken.\n"],
  ])("%s is one line and its code", async (_what, error, exitCode, line) => {
    const errors = paper()
    expect(await exitCodeOf("tool", errors, () => Promise.reject(error))).toBe(exitCode)
    expect(errors.text).toBe(line)
  })

  test("an error that nobody expected is called a bug, with its stack, and is 1", async () => {
    const errors = paper()
    expect(await exitCodeOf("tool", errors, () => Promise.reject(new TypeError("oops")))).toBe(1)
    expect(errors.text).toMatch(/^tool: this is a bug in tool: TypeError: oops\n\s+at /)
  })

  test("a program that ends by itself gives its code and is silent", async () => {
    const errors = paper()
    expect(await exitCodeOf("tool", errors, () => Promise.resolve(3))).toBe(3)
    expect(errors.text).toBe("")
  })
})

describe("serving until told to stop", () => {
  test("starts, says so, waits for the signal, stops", async () => {
    const service = new RecordedService()
    const controller = new AbortController()
    const served = serveUntil(service, controller.signal, (port) => {
      service.events.push(`started ${port}`)
      queueMicrotask(() => controller.abort())
    })
    await served
    expect(service.events).toEqual(["start", "started 8080", "stop"])
  })

  test("told to stop while starting, it stops once started and says nothing", async () => {
    const service = new RecordedService()
    const controller = new AbortController()
    const served = serveUntil(service, controller.signal, () => service.events.push("said"))
    controller.abort()
    await served
    expect(service.events).toEqual(["start", "stop"])
  })

  test("a start that fails is torn down, and its reason is what counts", async () => {
    const service = new RecordedService()
    service.start = () => Promise.reject(new Error("no luck"))
    service.stop = () => Promise.reject(new Error("nothing to stop"))
    await expect(serveUntil(service, new AbortController().signal, () => {})).rejects.toThrow("no luck")
  })
})

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("the first %s asks to stop, a second one later leaves at once", (name, exitCode) => {
    const source = new RecordedSignals()
    const signal = stopSignal(source, () => source.now)
    expect(signal.aborted).toBe(false)
    source.emit(name)
    expect(signal.aborted).toBe(true)
    expect(source.left).toEqual([])
    source.now += 251
    source.emit(name)
    expect(source.left).toEqual([exitCode])
  })

  test("one Ctrl-C that arrives twice, from the terminal and from npm, is one", () => {
    const source = new RecordedSignals()
    stopSignal(source, () => source.now)
    source.emit("SIGINT")
    source.now += 40
    source.emit("SIGTERM")
    expect(source.left).toEqual([])
  })
})

describe("why listening failed", () => {
  test.each([
    [
      "EADDRINUSE",
      "Cannot listen on 0.0.0.0:80: another program listens there. Stop it, or choose another port with --port.",
    ],
    ["EACCES", "Choose a higher one with --port, e.g. --port 8080."],
    ["EADDRNOTAVAIL", "this machine has no such address"],
    ["EWEIRD", "EWEIRD"],
  ])("%s comes with its remedy", (code, remedy) => {
    const error = Object.assign(new Error("listen failed"), { code })
    expect(listenProblem(error, { host: "0.0.0.0", port: 80 }, "--port").message).toContain(remedy)
  })

  test("an IPv6 address is written as in a URL", () => {
    expect(listenProblem(new Error("x"), { host: "::1", port: 80 }, "--port").message).toContain("[::1]:80")
  })
})

describe("output", () => {
  test("a reader that goes away is no error", () => {
    const stream = Object.assign(new EventEmitter(), { write: () => true })
    expect(textOutput(stream)).toMatchObject({ isTerminal: false, columns: 80 })
    expect(() => stream.emit("error", new Error("EPIPE"))).not.toThrow()
  })

  test.each([
    ["auto", true, "lines for people"],
    ["auto", false, "JSON"],
    ["pretty", true, "lines for people"],
    ["pretty", false, "lines for people"],
    ["json", true, "JSON"],
    ["json", false, "JSON"],
  ] as const)("the format %s, on a terminal: %j, means %s", (format, isTerminal, expected) => {
    const destination = logDestination(format, { ...paper(), isTerminal })
    expect(destination === undefined ? "JSON" : "lines for people").toBe(expected)
  })

  test("on a terminal a log line is time, level, words and fields, and cannot give the terminal orders", () => {
    const output = { ...paper(), isTerminal: true }
    const line = JSON.stringify({
      level: 40,
      time: 0,
      pid: 1,
      hostname: "h",
      tunnel: "a\u001b[2J",
      err: { type: "Error", message: "broken\nline", stack: "s" },
      msg: "edge\u0007 lost",
    })
    logDestination("auto", output)?.write(`${line}\n`)
    expect(output.text).toMatch(
      /^\d\d:\d\d:\d\d warn {2}edge\\x07 lost {2}tunnel=a\\x1b\[2J err=broken\\x0aline\n$/,
    )
  })

  test("what is no JSON object comes through the terminal log as it is", () => {
    const output = { ...paper(), isTerminal: true }
    logDestination("auto", output)?.write("plain words\n")
    expect(output.text).toBe("plain words\n")
  })
})

function paper(): { isTerminal: boolean; columns: number; text: string; write(text: string): void } {
  return {
    isTerminal: false,
    columns: 80,
    text: "",
    write(text) {
      this.text += text
    },
  }
}

class RecordedService {
  readonly events: string[] = []

  start(): Promise<number> {
    this.events.push("start")
    return Promise.resolve(8080)
  }

  stop(): Promise<void> {
    this.events.push("stop")
    return Promise.resolve()
  }
}

class RecordedSignals extends EventEmitter {
  now = 1000
  readonly left: number[] = []

  exit(code: number): void {
    this.left.push(code)
  }
}
