// The contract over short polls and pushes.
import { transportContract } from "./transport-contract.ts"

transportContract("short polls and pushes", { transport: "poll", path: "buffering" })
