// The contract between proxy-out and proxy-in, and the pure parts that both use.
export * from "./config/index.ts"
export * from "./doctor/index.ts"
export * from "./http1/index.ts"
export * from "./routes/index.ts"
export * from "./session/index.ts"
export * from "./tracing/index.ts"
export * from "./upgrade/index.ts"
export * from "./wire/index.ts"
