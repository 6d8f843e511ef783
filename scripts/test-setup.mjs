// Runs once before the tests: end-to-end tests start the built programs, so these have to be there.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

export default function setup() {
  const built = ["protocol", "proxy-out", "proxy-in"].every((name) =>
    existsSync(fileURLToPath(new URL(`../packages/${name}/dist/.tsbuildinfo`, import.meta.url))),
  )
  if (!built)
    throw new Error("The programs are not built. Run the tests with npm test, or build first: npm run build")
}
