// The file of named tokens: what is in it, read and written. Commands change it, a running edge reads it again.
import { CommandError, shown, systemReason, tunnelNamePattern } from "@restante/protocol"
import { z } from "zod"
import { changeFile, readIfThere } from "../state/owned-file.ts"
import { type NamedToken, isRoutePattern, tunnelPattern } from "./named-token.ts"

export const tokensFileName = "tokens.json"

/** Most tokens in one file. */
export const maxTokens = 10_000
/** Most tunnel patterns of one token, and most routes. */
export const maxPatterns = 1000

/** Throws for a text that is not a whole, valid file. The error says where, and never what stands there. */
export function parseTokens(text: string): readonly NamedToken[] {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch {
    throw new TokensFileError("it is not JSON")
  }
  const result = fileSchema.safeParse(said)
  if (!result.success)
    throw new TokensFileError(`${result.error.issues[0]?.path.join(".") ?? ""} is not valid`)
  const { tokens } = result.data
  if (new Set(tokens.map(({ id }) => id)).size < tokens.length)
    throw new TokensFileError("an id is there twice")
  return tokens
}

/** No tokens when there is no file. Raises `CommandError("startup")`. */
export async function readTokens(path: string): Promise<readonly NamedToken[]> {
  try {
    const text = await readIfThere(path)
    return text === undefined ? [] : parseTokens(text)
  } catch (error) {
    throw fileProblem(path, error)
  }
}

/** Replaces the tokens by what `change` makes of them. Raises `CommandError("startup")`, and what `change` throws. */
export async function changeTokens(
  path: string,
  change: (tokens: readonly NamedToken[]) => readonly NamedToken[],
): Promise<void> {
  try {
    await changeFile(path, (text) => tokensText(change(text === undefined ? [] : parseTokens(text))))
  } catch (error) {
    throw fileProblem(path, error)
  }
}

export class TokensFileError extends Error {}

function tokensText(tokens: readonly NamedToken[]): string {
  return `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`
}

function fileProblem(path: string, error: unknown): unknown {
  if (error instanceof CommandError) return error
  const reason = error instanceof TokensFileError ? error.message : systemReason(error)
  return new CommandError("startup", `The file of tokens ${shown(path)} cannot be used: ${reason}.`, {
    cause: error,
  })
}

const tokenSchema: z.ZodType<NamedToken> = z.object({
  id: z.string().regex(/^[a-z0-9]{12}$/),
  name: z.string().regex(tunnelNamePattern),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  tunnels: z.array(z.string().regex(tunnelPattern)).max(maxPatterns),
  routes: z.array(z.string().refine(isRoutePattern)).max(maxPatterns).optional(),
  allow: z.array(z.string().max(100)).max(100).default([]),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
})

const fileSchema = z.object({ version: z.literal(1), tokens: z.array(tokenSchema).max(maxTokens) })
