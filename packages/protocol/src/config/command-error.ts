// Why a program did not start, in one line that says what to do about it.

/** "usage": the command line is wrong; "startup": it is right, but this machine or network does not let it work. */
export const commandErrorTable = {
  usage: { exitCode: 2 },
  startup: { exitCode: 1 },
} as const satisfies Record<string, { readonly exitCode: number }>

export type CommandErrorCode = keyof typeof commandErrorTable

/** `message` is one line for the person who typed the command; it never holds a secret. */
export class CommandError extends Error {
  readonly code: CommandErrorCode

  constructor(code: CommandErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = "CommandError"
    this.code = code
  }

  get exitCode(): number {
    return commandErrorTable[this.code].exitCode
  }
}

/** The value as a person may see it again: quoted, control characters escaped, cut at 60 characters. */
export function shown(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
}

/** What a failed file or socket call means, in words; the system's own code when it is a rare one. */
export function systemReason(error: unknown): string {
  const code = systemCode(error)
  return (code && systemReasons[code]) ?? code ?? (error instanceof Error ? error.message : String(error))
}

/** The error's `code`, e.g. "EACCES", looked for in its causes too. */
export function systemCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if ("code" in at && typeof at.code === "string") return at.code
  }
  return undefined
}

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the port is taken",
  EADDRNOTAVAIL: "this machine has no such address",
  EAFNOSUPPORT: "this machine has no such kind of address",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  ENOTFOUND: "the name was not found",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
}
