// The contract over websocket.
import { transportContract } from "./transport-contract.ts"

transportContract("websocket", { transport: "websocket", path: "plain" })
