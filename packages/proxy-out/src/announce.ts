// What proxy-out tells the person who started it: where it listens, and the proxy-in command to copy.
import type { TokenOrigin } from "./token.ts"

export interface Announcement {
  /** The host of `--host`, or undefined when all addresses are listened on. */
  readonly host: string | undefined
  readonly port: number
  readonly scheme: "http" | "https"
  /** An address of this machine that others can reach, if it has one. */
  readonly ownAddress: string | undefined
  readonly tokenOrigin: TokenOrigin
  /** The token's text, only when it may be shown: made now, and a person sits at the terminal. */
  readonly tokenToShow: string | undefined
}

export function announcement(facts: Announcement): string {
  const external = externalUrl(facts)
  const lines = [
    `Listening on ${external}`,
    "",
    "Next to the private server, run:",
    "",
    `  ${agentCommand(facts, external)}`,
    "",
  ]
  return `${[...lines, ...tokenLines(facts)].join("\n")}\n`
}

/** The command for the agent; it works as it stands on this machine. */
function agentCommand({ tokenOrigin }: Announcement, external: string): string {
  const command = `proxy-in --server http://127.0.0.1:8080 --external ${external}`
  switch (tokenOrigin.kind) {
    case "environment":
      return command
    case "named":
      return `${command} --token-file FILE`
    case "file":
    case "kept":
      return `${command} --token-file ${shellWord(tokenOrigin.path)}`
  }
}

function tokenLines({ tokenOrigin, tokenToShow }: Announcement): string[] {
  const address =
    "Give --server the private server's URL, and --external a name or address that leads here from there."
  switch (tokenOrigin.kind) {
    case "environment":
      return [address, "RESTANTE_TOKEN has to hold the same token there as here."]
    case "named":
      return [
        address,
        "FILE holds a token of  proxy-out token create NAME ; those that there are stand, without their text, in",
        `${tokenOrigin.path}.`,
      ]
    case "file":
      return [
        address,
        `On another machine, copy ${tokenOrigin.path} there first and give --token-file its place.`,
      ]
    case "kept": {
      const path = tokenOrigin.path
      if (tokenToShow === undefined) {
        const made = tokenOrigin.madeNow ? "A token was made and is kept in" : "The token is in"
        return [
          address,
          `${made} ${path} (only its owner can read it).`,
          `On another machine, copy that file there first and give --token-file its place.`,
        ]
      }
      return [
        address,
        `A token was made and is kept in ${path} (only you can read it). It is shown this once:`,
        "",
        `  ${tokenToShow}`,
        "",
        "On another machine, make the file with  (umask 077; cat > restante.token)  then paste the token, Enter, Ctrl-D,",
        "and give --token-file restante.token.",
      ]
    }
  }
}

function externalUrl({ host, port, scheme, ownAddress }: Announcement): string {
  const name = host === undefined || isWildcard(host) ? (ownAddress ?? "127.0.0.1") : host
  const usual = scheme === "https" ? 443 : 80
  return `${scheme}://${name.includes(":") ? `[${name}]` : name}${port === usual ? "" : `:${port}`}`
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::"
}

/** The word as a POSIX shell reads it back. */
function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
