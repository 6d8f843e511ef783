// Waits by turns of the event loop, so that it works while the timers are fake.

/** Resolves once `holds` is true; fails when that has not come true after very many turns. */
export async function turnsUntil(what: string, holds: () => boolean, most = 20_000): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn === most) throw new Error(`in vain: ${what}`)
    // oxlint-disable-next-line no-await-in-loop -- that is what waiting is
    await turns(1)
  }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise((resolve) => setImmediate(resolve))
  }
}
