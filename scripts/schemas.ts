// Writes docs/schemas/*.schema.json from the programs' tables of options. Run with `npm run schemas`.
import { writeFileSync } from "node:fs"
import { fileSchemas } from "./file-schemas.ts"

for (const [name, schema] of Object.entries(fileSchemas)) {
  const path = new URL(`../docs/schemas/${name}.schema.json`, import.meta.url)
  writeFileSync(path, `${JSON.stringify(schema, undefined, 2)}\n`)
}
