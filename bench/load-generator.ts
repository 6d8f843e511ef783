// The load generator: one process that makes the requests of all contenders, one job after the other.
import { once } from "node:events"
import { child } from "./contenders.ts"
import type { Job, Reply } from "./children/load.ts"
import type { CountedResult } from "./children/count.ts"
import type { MessagesJob } from "./children/messages.ts"
import type { RequestsJob } from "./children/requests.ts"
import type { TransferJob, TransferResult } from "./children/transfers.ts"
import { Program } from "./program.ts"

export class LoadGenerator implements AsyncDisposable {
  readonly program = new Program({
    role: "load",
    command: process.execPath,
    words: [child("load")],
    ipc: true,
  })

  /** Rejects when an answer is not what it should be. */
  requests(job: Omit<RequestsJob, "kind">, signal: AbortSignal): Promise<CountedResult> {
    return this.#do({ kind: "requests", ...job }, signal)
  }

  /** Rejects when what comes back is not what was sent. */
  messages(job: Omit<MessagesJob, "kind">, signal: AbortSignal): Promise<CountedResult> {
    return this.#do({ kind: "messages", ...job }, signal)
  }

  /** Rejects when an answer is not what it should be. */
  transfer(job: TransferJob, signal: AbortSignal): Promise<TransferResult> {
    return this.#do(job, signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]()
  }

  async #do<Result>(job: Job, signal: AbortSignal): Promise<Result> {
    // It always answers: what it waits for has a limit there.
    const answered = once(this.program.child, "message", { signal })
    this.program.child.send(job)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the process of the same version sends
    const [reply] = (await answered) as [Reply<Result>]
    if (reply.kind === "failed") throw new Error(reply.message)
    return reply.result
  }
}
