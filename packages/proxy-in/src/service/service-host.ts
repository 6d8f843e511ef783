// What setting up a service needs of the machine; cli.ts hands in the real one, tests another.

export interface ServiceHost {
  /** As in `process.platform`. */
  readonly platform: string
  readonly workingDirectory: string
  /** The words that start this very program: Node and the script, as absolute paths without links. */
  readonly program: readonly string[]
  /** Whether systemd is what runs this machine (sd_booted(3)). */
  readonly systemdRuns: boolean
  /** Where units of the system are, and those of this user. */
  readonly unitDirectories: { readonly system: string; readonly user: string }
  /** Whether everybody may read this file, its folders included. */
  readableByAll(path: string): Promise<boolean>
  /** Undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>
  /** Makes the folders on the way. */
  writeText(path: string, text: string): Promise<void>
  remove(path: string): Promise<void>
  /** Runs a program to its end. `code` is 127 when there is none. */
  run(command: string, given: readonly string[]): Promise<Ran>
}

export interface Ran {
  readonly code: number
  readonly output: string
  readonly errors: string
}
