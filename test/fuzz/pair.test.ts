// A hundred thousand exchanges that chance made cross the pair, and every byte at both ends is as the oracle says. This file plays
// one half, pair-2.test.ts the other.
import { fuzzTest } from "./fuzz-test.ts"

fuzzTest({ seed: 20_261_121, transport: "websocket" })
