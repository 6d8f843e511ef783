// The contract over auto.
import { transportContract } from "./transport-contract.ts"

transportContract("auto", { transport: "auto", path: "plain" })
