// Every conformance case through a pair whose queue is in memory and whose agent uses a websocket.
import { conformance } from "./runner.ts"

conformance("memory", "websocket")
