// Every conformance case through a pair whose queue is a real Redis and whose agent uses polls.
import { conformance } from "./runner.ts"

conformance("redis", "poll")
