// The last errors, for people: the same one again is counted, not listed again.
import type { StatusError } from "../status/status.ts"

const mostKept = 10

export class RecentErrors {
  #errors: readonly StatusError[] = []

  /** `at`: epoch milliseconds. Errors with the same code and detail are the same one. */
  add(error: Pick<StatusError, "at" | "code" | "detail" | "remedy">): void {
    const same = ({ code, detail }: StatusError): boolean => code === error.code && detail === error.detail
    const before = this.#errors.find((known) => same(known))
    const merged: StatusError = {
      at: error.at,
      firstAt: before?.firstAt ?? error.at,
      count: (before?.count ?? 0) + 1,
      code: error.code,
      detail: error.detail,
      remedy: error.remedy,
      message: [error.code, error.detail].filter((word) => word !== "").join(" "),
    }
    this.#errors = [merged, ...this.#errors.filter((known) => known !== before)].slice(0, mostKept)
  }

  /** Newest first. */
  get list(): readonly StatusError[] {
    return this.#errors
  }
}
