// Reads a token as a person or file gives it, and notices one where it does not belong.
import { CommandError, systemReason } from "./command-error.ts"
import { nearestName } from "./nearest.ts"
import { Secret } from "./secret.ts"

/** Shorter tokens work but can be guessed; a warning is in place. */
export const weakTokenLength = 16
/** Longest token, in characters; also far more than a token file ever holds. */
const maxTokenLength = 1024

export interface TokenSources {
  /** What `--token-file` names; it wins over the environment. */
  readonly file: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly readText: (path: string) => Promise<string>
}

/** The token that was given, or undefined when there is none. An empty RESTANTE_TOKEN counts as none. Raises `CommandError`. */
export async function givenToken(sources: TokenSources): Promise<Secret | undefined> {
  if (sources.file !== undefined)
    return parseToken(await readTokenFile(sources.file, sources), "The file of --token-file")
  const text = sources.environment["RESTANTE_TOKEN"]
  return text === undefined || text.trim() === "" ? undefined : parseToken(text, "RESTANTE_TOKEN")
}

async function readTokenFile(path: string, { readText }: TokenSources): Promise<string> {
  try {
    return await readText(path)
  } catch (error) {
    // The name is not shown: people put the token itself there.
    const remedy = looksLikeToken(path)
      ? "It wants the name of a file that holds the token, not the token."
      : "Check its name and who may read it."
    throw new CommandError(
      "startup",
      `--token-file: cannot read that file, ${systemReason(error)}. ${remedy}`,
      { cause: error },
    )
  }
}

/**
 * The token in `text`, without the white space around it. Raises `CommandError("usage")`, naming `source` and never the value, when
 * nothing is left, when it is too long, or when it could not stand in an Authorization field (RFC 9110 section 11.4).
 */
export function parseToken(text: string, source: string): Secret {
  const value = text.trim()
  if (value === "")
    throw new CommandError("usage", `${source} holds no token. Put the token that proxy-out made into it.`)
  if (/[\r\n]/.test(value)) {
    throw new CommandError(
      "usage",
      `${source} holds more than one line. It may hold the token and nothing else.`,
    )
  }
  if (value.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(value)) {
    throw new CommandError(
      "usage",
      `${source} does not hold a token: that is up to ${maxTokenLength} letters, digits and signs without spaces.`,
    )
  }
  return new Secret(value)
}

/**
 * Refuses a command line that carries a token, before anything else reads it: arguments are seen by every user of the machine and stay
 * in the shell's history. Raises `CommandError("usage")` without the value.
 */
export function refuseTokenArguments(args: readonly string[], optionNames: readonly string[]): void {
  for (const argument of args) {
    if (argument === "--") return
    const name = /^(?:-{1,2}|(?=\w+=))([A-Za-z][\w.-]*)/.exec(argument)?.[1]
    if (name !== undefined && meansToken(name, optionNames)) {
      throw new CommandError(
        "usage",
        "A token does not belong on the command line, where every user of this machine can read it. " +
          "Put it into a file (chmod 600) and give --token-file FILE, or set RESTANTE_TOKEN.",
      )
    }
  }
}

/** Whether this looks like a token that proxy-out made: 32 random bytes as base64url. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

const secretWords = /token|secret|passw|credential|bearer|auth|api[-_.]?key/i

function meansToken(name: string, optionNames: readonly string[]): boolean {
  if (optionNames.includes(name)) return false
  const nearest = nearestName(name, [...optionNames, "token"])
  if (nearest !== undefined) return nearest === "token"
  return secretWords.test(name)
}
