// Where proxy-out keeps things, for its main program and its commands alike.
import { join } from "node:path"
import { tokensFileName } from "./credentials/tokens-file.ts"
import type { EdgeSurroundings } from "./surroundings.ts"
import { defaultDataDir } from "./token.ts"

export interface Places {
  readonly "data-dir": string | undefined
  readonly "tokens-file": string | undefined
}

/** `--tokens-file`, else its place in the data directory. */
export function tokensFileOf(values: Places, around: Pick<EdgeSurroundings, "environment" | "home">): string {
  return values["tokens-file"] ?? join(dataDirOf(values, around), tokensFileName)
}

export function dataDirOf(
  values: Pick<Places, "data-dir">,
  { environment, home }: Pick<EdgeSurroundings, "environment" | "home">,
): string {
  return values["data-dir"] ?? defaultDataDir(environment, home)
}
