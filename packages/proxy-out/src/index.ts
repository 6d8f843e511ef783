// The edge as a library: what a program needs to run one in its own process.
export { Edge } from "./edge.ts"
export { dispatches, type Dispatch, type EdgeOptions } from "./edge-options.ts"
