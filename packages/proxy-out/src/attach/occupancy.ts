// What the streams of one agent count against: requests under way against its concurrency, those of ports against its connections,
// switched ones against a limit that only the agent knows.
import type { SessionStream } from "./session-stream.ts"

export class Occupancy {
  /** Streams that do not count against the concurrency: of ports, or switched to another protocol. */
  lasting = 0
  /** Of these, the ones of ports. */
  ofPorts = 0
  /** The agent has refused to switch another connection, and none has ended since. */
  upgradesFull = false

  opened({ ofPort }: SessionStream): void {
    if (!ofPort) return
    this.lasting++
    this.ofPorts++
  }

  switched(stream: SessionStream): void {
    stream.maySwitch = false
    stream.lasting = true
    this.lasting++
    this.upgradesFull = false
  }

  ended({ lasting, ofPort, ofUpgrade }: SessionStream): void {
    if (lasting) this.lasting--
    if (ofPort) this.ofPorts--
    if (ofUpgrade) this.upgradesFull = false
  }

  /** All streams are gone. */
  clear(): void {
    this.lasting = 0
    this.ofPorts = 0
  }
}
