// The load generator's process: does the jobs that come over IPC one after the other, and answers each.
import { exchangeMessages, type MessagesJob } from "./messages.ts"
import { makeRequests, type RequestsJob } from "./requests.ts"
import { transfer, type TransferJob } from "./transfers.ts"

export type Job = RequestsJob | MessagesJob | TransferJob

export type Reply<Result> =
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly message: string }

process.on("message", (job: Job) => void answer(job))
process.on("disconnect", () => process.exit())

async function answer(job: Job): Promise<void> {
  process.send?.(await reply(job))
}

async function reply(job: Job): Promise<Reply<unknown>> {
  try {
    return { kind: "done", result: await done(job) }
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) }
  }
}

function done(job: Job): Promise<unknown> {
  if (job.kind === "requests") return makeRequests(job)
  return job.kind === "messages" ? exchangeMessages(job) : transfer(job)
}
