// The resumable session and the credit of its streams, as state machines without I/O.
export { ReceiveCredit, SendCredit, WindowBudget } from "./credit.ts"
export type { StreamSink } from "./control-sink.ts"
export { deafSink } from "./deaf-sink.ts"
export type { CarrierId } from "./retained.ts"
export { Session } from "./session.ts"
export { StreamTable } from "./stream-table.ts"
export type { SessionOptions } from "./session-options.ts"
