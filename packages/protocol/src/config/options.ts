// What a table of options is: for each its name, help, default and how its text is read. The command line, the environment,
// the file, --help, --print-config and the JSON Schema all come from it.

/** One option. Its name is its key in the table: `--name VALUE`, `PREFIX_NAME=VALUE`, or `name: VALUE` in the file. */
export interface Option<Value> {
  /** What stands for the value in the help, e.g. "FILE". A flag has none. */
  readonly placeholder?: string
  /** Heading in the help. */
  readonly group: string
  /** One or two plain sentences without a full stop at the end: what it does, its range. */
  readonly help: string
  /** Given when the option is not; read like a typed value. For a list its items with commas between them. */
  readonly default?: string
  /** The program cannot run without it. */
  readonly required?: true
  /** … unless one of these options is given. */
  readonly instead?: readonly string[]
  /** May be given more than once, as a comma-separated variable or as a list in the file. `read` gets one item; the value is an array. */
  readonly list?: true
  /** Has no value on the command line; `read` gets "true" or "false". Without it false. */
  readonly flag?: true
  /** Must not be seen by others: refused on the command line and hidden in --print-config. A function says which texts are secret. */
  readonly secret?: true | ((this: void, text: string) => boolean)
  /** SIGHUP can change it while the program runs. */
  readonly live?: true
  /** proxy-in: may stand inside an entry of `tunnels:` in the file. */
  readonly perTunnel?: true
  /** What the JSON Schema says about one value; without it any string. */
  readonly schema?: ValueSchema
  /** The value of a text, or `CommandError("usage")` with a sentence that says what to write instead. */
  read(this: void, text: string): Value
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>

/** The part of JSON Schema (2020-12) that one value of an option may need. */
export interface ValueSchema {
  readonly type?: "string" | "integer" | "boolean" | readonly ("string" | "integer" | "boolean")[]
  readonly enum?: readonly (string | number | boolean)[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly ValueSchema[]
}

/** What an option reads to: undefined only when it is neither required nor has a default, and is no list and no flag. */
type OptionValue<Of extends Option<unknown>> = Of extends { readonly list: true }
  ? readonly ReturnType<Of["read"]>[]
  : Of extends { readonly instead: readonly string[] }
    ? ReturnType<Of["read"]> | undefined
    : Of extends { readonly flag: true } | { readonly default: string } | { readonly required: true }
      ? ReturnType<Of["read"]>
      : ReturnType<Of["read"]> | undefined

/** What a table's options read to, by name. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: OptionValue<Table[Name]>
}
