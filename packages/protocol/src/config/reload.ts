// Reads a running program's configuration again when it is told to (SIGHUP): what can change while it runs does, of the
// rest it says that it needs a restart. A configuration that is not right changes nothing.
import { CommandError } from "./command-error.ts"
import type { CommandLine, RunLine } from "./command-line.ts"
import type { OptionTable } from "./options.ts"
import type { Setting } from "./settings.ts"

export interface ReloadOptions<Table extends OptionTable, Around> {
  readonly table: Table
  /** What the program runs with. */
  readonly running: RunLine<Table>
  /** Calls back each time the configuration has to be read again. */
  readonly onReload: (listener: () => void) => void
  /** Reads all sources as at start. */
  readonly read: () => Promise<CommandLine<Table, Around>>
  /** Changes what can change; called with every configuration that is right, also when none of its options changed: files that it names may have. */
  readonly apply: (line: RunLine<Table>) => Promise<void>
  readonly log: ReloadLog
}

export interface ReloadLog {
  info(facts: object, event: string): void
  warn(facts: object, event: string): void
  error(facts: object, event: string): void
}

/** Never raises: what goes wrong is logged, and the program goes on as it was. One reading at a time. */
export function reloadWhenTold<Table extends OptionTable, Around>(
  options: ReloadOptions<Table, Around>,
): void {
  let last = Promise.resolve(options.running)
  options.onReload(() => {
    last = last.then((before) => reload(options, before))
  })
}

/** Gives what it is compared with the next time. */
async function reload<Table extends OptionTable, Around>(
  { table, running, read, apply, log }: ReloadOptions<Table, Around>,
  before: RunLine<Table>,
): Promise<RunLine<Table>> {
  try {
    const line = await read()
    if (line.kind !== "run") return before
    await apply(line)
    const isLive = (name: string): boolean => table[name]?.live === true
    const changed = changedNames(before, line).filter(isLive)
    const needRestart = changedNames(running, line).filter((name) => !isLive(name))
    log.info({ changed: changed.map((name) => `--${name}`) }, "configuration read again")
    if (needRestart.length > 0) {
      log.warn({ options: needRestart.map((name) => `--${name}`) }, "these changes need a restart")
    }
    for (const warning of line.configuration.warnings) log.warn({}, warning)
    return line
  } catch (error) {
    const reason = error instanceof CommandError ? error.message : String(error)
    log.error({ reason }, "configuration not read again: the old one goes on")
    return before
  }
}

function changedNames<Table extends OptionTable>(before: RunLine<Table>, after: RunLine<Table>): string[] {
  const then = before.configuration.top.found
  const now = after.configuration.top.found
  const names = new Set([...then.keys(), ...now.keys()])
  return [...names].filter((name) => textOf(then.get(name)) !== textOf(now.get(name)))
}

function textOf(setting: Setting | undefined): string | undefined {
  return setting && JSON.stringify(setting.texts)
}
