// The contract over streamed polls and pushes.
import { transportContract } from "./transport-contract.ts"

transportContract("streamed polls and pushes", { transport: "poll", path: "plain" })
