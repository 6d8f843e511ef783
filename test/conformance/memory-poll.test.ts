// Every conformance case through a pair whose queue is in memory and whose agent uses polls.
import { conformance } from "./runner.ts"

conformance("memory", "poll")
