// The load generator's process: does the jobs that come over IPC one after the other, and answers each.
import { makeRequests, type RequestsJob, type RequestsResult } from "./requests.ts"
import { transfer, type TransferJob, type TransferResult } from "./transfers.ts"

export type Job = RequestsJob | TransferJob
export type Reply =
  | { readonly kind: "done"; readonly result: RequestsResult | TransferResult }
  | { readonly kind: "failed"; readonly message: string }

process.on("message", (job: Job) => void answer(job))
process.on("disconnect", () => process.exit())

async function answer(job: Job): Promise<void> {
  try {
    const result = job.kind === "requests" ? await makeRequests(job) : await transfer(job)
    process.send?.({ kind: "done", result } satisfies Reply)
  } catch (error) {
    process.send?.({ kind: "failed", message: error instanceof Error ? error.message : String(error) } satisfies Reply)
  }
}
