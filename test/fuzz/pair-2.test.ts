// The second half of the hundred thousand exchanges, over polls.
import { fuzzTest } from "./fuzz-test.ts"

fuzzTest({ seed: 77_261_121, transport: "poll" })
