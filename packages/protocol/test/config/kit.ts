// What the configuration's tests share.
import { CommandError } from "../../src/index.ts"

/** The one line of a refusal; anything else fails the test. */
export async function commandError(refused: Promise<unknown>): Promise<string> {
  try {
    await refused
  } catch (error) {
    if (error instanceof CommandError) return error.message
    throw error
  }
  throw new Error("it was not refused")
}
