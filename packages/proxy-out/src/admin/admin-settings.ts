// What the command line says about the pages for people, as the edge wants it.
import { CommandError, parseToken, systemReason, type OptionValues, type Secret } from "@restante/protocol"
import { readGivenFile } from "../given-file.ts"
import type { EdgeTable } from "../cli-options.ts"
import type { EdgeOptions } from "../edge-options.ts"

/** Raises `CommandError` when the token's file cannot be read or holds none. */
export async function adminSettings(
  values: OptionValues<EdgeTable>,
): Promise<Pick<EdgeOptions, "admin" | "adminToken">> {
  const port = values["admin-port"]
  return {
    admin: port === undefined ? undefined : { host: values["admin-host"], port },
    adminToken: await adminToken(values),
  }
}

async function adminToken(values: OptionValues<EdgeTable>): Promise<Secret | undefined> {
  const file = values["admin-token-file"]
  if (file !== undefined) return parseToken(await readTokenFile(file), "The file of --admin-token-file")
  return values["admin-token"]
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readGivenFile(path)
  } catch (error) {
    // The name is not shown: people put the token itself there.
    throw new CommandError(
      "startup",
      `--admin-token-file: cannot read that file, ${systemReason(error)}. Check its name and who may read it.`,
      { cause: error },
    )
  }
}
