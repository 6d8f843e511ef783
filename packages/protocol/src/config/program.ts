// The life of a program around its service: start, run until told to stop, stop politely, exit code.
// Everything of the process is handed in; the programs' cli files are the only ones that have it.
import { CommandError, systemReason } from "./command-error.ts"

/** Where people read: a terminal or a pipe. */
export interface TextOutput {
  readonly isTerminal: boolean
  /** Width of the terminal; 80 where there is none. */
  readonly columns: number
  /** Height of the terminal; undefined where it is not known. */
  readonly rows?: number | undefined
  write(text: string): unknown
}

/** The part of `process.stdout` that is used. */
export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  on(event: "error", listener: () => void): unknown
  write(text: string): unknown
}

/** A reader that goes away (`proxy-out | head`) is no reason to stop serving: its error is taken and forgotten. */
export function textOutput(stream: OutputStream): TextOutput {
  stream.on("error", () => {})
  return {
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80 // a window changes its size
    },
    get rows() {
      return stream.rows
    },
    write: (text) => stream.write(text),
  }
}

/** What a program gets from its process. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly version: string
  /** What was asked for: help, version, addresses, the command to copy. */
  readonly output: TextOutput
  /** The log, and why the program did not start. */
  readonly errors: TextOutput
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal
  /** Calls back for each SIGHUP. */
  onReload(listener: () => void): void
}

/**
 * Runs `main` and gives the exit code: what it gives, else that of the `CommandError`, whose one line is printed.
 * Any other error is a bug of ours: its stack is printed and the code is 1.
 */
export async function exitCodeOf(
  name: string,
  errors: TextOutput,
  main: () => Promise<number>,
): Promise<number> {
  try {
    return await main()
  } catch (error) {
    if (error instanceof CommandError) {
      errors.write(`${name}: ${error.message}\n`)
      return error.exitCode
    }
    errors.write(
      `${name}: this is a bug in ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    return 1
  }
}

/** Starts the service, calls `started` with what start() gave, waits for `signal`, and stops it. What was begun is stopped also when starting fails. */
export async function serveUntil<Started>(
  service: { start(): Promise<Started>; stop(): Promise<void> },
  signal: AbortSignal,
  started: (value: Started) => void,
): Promise<void> {
  try {
    const value = await service.start()
    if (!signal.aborted) started(value)
  } catch (error) {
    // Why it did not start matters more than how tearing down went.
    await service.stop().catch(() => {})
    throw error
  }
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
  await service.stop()
}

/** Where signals come from and how to leave; `process` is one. */
export interface SignalSource {
  on(name: "SIGTERM" | "SIGINT", listener: () => void): unknown
  exit(code: number): void
}

/**
 * A signal that the first SIGTERM or SIGINT aborts. A second one exits at once with 128 + its number; one that comes within 250 ms is the
 * same wish told twice (npm and a shell both pass on a Ctrl-C) and changes nothing. `now` gives milliseconds.
 */
export function stopSignal(source: SignalSource, now: () => number): AbortSignal {
  const controller = new AbortController()
  let firstAt = Number.NEGATIVE_INFINITY
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    source.on(name, () => {
      if (!controller.signal.aborted) {
        firstAt = now()
        controller.abort(name)
      } else if (now() - firstAt > sameWishMs) {
        source.exit(128 + number)
      }
    })
  }
  return controller.signal
}

const sameWishMs = 250

/**
 * Gives what registers a listener for SIGHUP. The signal is taken from now on: one that comes while the program still starts changes nothing,
 * where it would otherwise end it. It also comes when the terminal is closed that the program was started on: then it is told to stop, like
 * everything else there, and not left running where nobody sees it.
 */
export function reloadSignal(
  source: {
    readonly pid: number
    on(name: "SIGHUP", listener: () => void): unknown
    kill(pid: number, name: "SIGTERM"): unknown
  },
  terminalGone: () => boolean,
): (listener: () => void) => void {
  const listeners: (() => void)[] = []
  source.on("SIGHUP", () => {
    if (terminalGone()) return void source.kill(source.pid, "SIGTERM")
    for (const listener of listeners) listener()
  })
  return (listener) => void listeners.push(listener)
}

/** Why listening failed, with the remedy. `what` names the option to change, e.g. "--port". */
export function listenProblem(
  error: unknown,
  address: { host: string; port: number },
  portOption: string,
): CommandError {
  const place = address.host.includes(":")
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`
  const code = error instanceof Error && "code" in error ? error.code : undefined
  const remedy =
    code === "EADDRINUSE"
      ? `another program listens there. Stop it, or choose another port with ${portOption}.`
      : code === "EACCES"
        ? `ports below 1024 need root or the right CAP_NET_BIND_SERVICE. Choose a higher one with ${portOption}, e.g. ${portOption} 8080.`
        : `${systemReason(error)}.`
  return new CommandError("startup", `Cannot listen on ${place}: ${remedy}`, { cause: error })
}
