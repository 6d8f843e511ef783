// Writes docs/openapi.json from the description that the edge serves. Run with `npm run openapi`.
import { writeFileSync } from "node:fs"
import { openApi } from "../packages/proxy-out/src/admin/openapi.ts"

writeFileSync(new URL("../docs/openapi.json", import.meta.url), `${JSON.stringify(openApi, undefined, 2)}\n`)
