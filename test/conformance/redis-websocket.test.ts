// Every conformance case through a pair whose queue is a real Redis and whose agent uses a websocket.
import { conformance } from "./runner.ts"

conformance("redis", "websocket")
