// Waits for what a test says must become true, and says what did not when it does not in time.

/** Looks until `holds` answers something truthy, which it resolves with. Rejects after `withinMs`, naming `what`. */
export async function until<T>(
  what: string | (() => string),
  holds: () => T | Promise<T>,
  withinMs = 20_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadlineAt = performance.now() + withinMs
  for (let lookAgainMs = 1; ; lookAgainMs = Math.min(lookAgainMs * 1.5, 40)) {
    const found = await holds()
    if (found) return found as NonNullable<Exclude<T, false>>
    if (performance.now() > deadlineAt)
      throw new Error(`not within ${withinMs} ms: ${typeof what === "string" ? what : what()}`)
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
}

/** What `promise` gives, unless it takes longer than `withinMs`. */
export async function within<T>(what: string, withinMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${withinMs} ms: ${what}`)), withinMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Lets time pass where a test's story needs it ("the network is away for 10 s"), never as a check of anything. */
export function passTime(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
