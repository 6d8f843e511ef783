// The Date line of our own answers (RFC 9110 §6.6.1), made once per second and not once per response.
import type { Clock } from "./clock.ts"

export function dateLineOf(clock: Clock): () => string {
  let second = -1
  let line = ""
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`
    }
    return line
  }
}
