// Runs all tests, or those that the arguments name, with the servers and tools they need.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { paths } from "./needs.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const wanted = process.argv.slice(2)
console.error(
  wanted.length === 0
    ? "Running all tests: about five minutes on two cores. The files that take longest come first, so the first lines take a while."
    : `Running the tests that match ${wanted.join(" ")}`,
)
const tests = spawn(join(root, "node_modules", ".bin", "vitest"), ["run", ...wanted], {
  cwd: root,
  stdio: "inherit",
  env: {
    ...process.env,
    RESTANTE_REDIS_SERVER: paths.redis,
    RESTANTE_CHROMIUM: paths.chromium,
    // The tests start Node about a thousand times; what it has compiled once it need not compile again.
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node"),
  },
})
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => tests.kill(signal))
tests.on("exit", (code) => process.exit(code ?? 1))
