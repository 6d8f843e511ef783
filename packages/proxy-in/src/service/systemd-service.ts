// One service of systemd's: written and started, stopped and removed, looked at. Everything of the machine is its host's.
import { join } from "node:path"
import { CommandError, systemReason } from "@restante/protocol"
import type { ServiceHost } from "./service-host.ts"
import { unitMark } from "./unit-text.ts"

export class SystemdService {
  readonly name: string
  readonly path: string
  readonly #host: ServiceHost
  readonly #user: boolean

  /** `user`: of this user's own manager, not the system's. Raises `CommandError` where there is no systemd. */
  constructor(host: ServiceHost, { name, user }: { readonly name: string; readonly user: boolean }) {
    this.name = name
    this.#host = host
    this.#user = user
    this.path = join(user ? host.unitDirectories.user : host.unitDirectories.system, `${name}.service`)
  }

  /** How to see its log. */
  get logCommand(): string {
    return `journalctl ${this.#user ? "--user " : ""}-u ${this.name} -f`
  }

  /** Writes the unit, and starts it now and at every boot; one that runs starts anew. Raises `CommandError`. */
  async install(unit: string): Promise<void> {
    this.#requireSystemd()
    await this.#requireOurs("replace")
    try {
      await this.#host.writeText(this.path, unit)
    } catch (error) {
      throw new CommandError(
        "startup",
        `Cannot write ${this.path}: ${systemReason(error)}. Services of the system are root's: use sudo, or --user for one of your own.`,
        { cause: error },
      )
    }
    await this.#systemctl("daemon-reload")
    await this.#systemctl("enable", `${this.name}.service`)
    await this.#systemctl("restart", `${this.name}.service`)
  }

  /** Stops it and removes its unit, and nothing else. Raises `CommandError`, also when there is none. */
  async uninstall(): Promise<void> {
    this.#requireSystemd()
    if (!(await this.#requireOurs("remove"))) throw this.#notThere()
    await this.#systemctl("disable", "--now", `${this.name}.service`)
    try {
      await this.#host.remove(this.path)
    } catch (error) {
      throw new CommandError("startup", `Cannot remove ${this.path}: ${systemReason(error)}.`, {
        cause: error,
      })
    }
    await this.#systemctl("daemon-reload")
  }

  /** One line, and whether it runs. Raises `CommandError` when there is none. */
  async status(): Promise<{ readonly runs: boolean; readonly line: string }> {
    this.#requireSystemd()
    if ((await this.#host.readText(this.path)) === undefined) throw this.#notThere()
    const shown = await this.#systemctl(
      "show",
      "--property=ActiveState,SubState,MainPID,ActiveEnterTimestamp,ExecMainStatus",
      `${this.name}.service`,
    )
    const facts = new Map(shown.split("\n").map(property))
    const state = facts.get("ActiveState") ?? "unknown"
    const runs = state === "active"
    const since = facts.get("ActiveEnterTimestamp") ?? ""
    const how = runs
      ? `runs since ${since} (process ${facts.get("MainPID")})`
      : `is ${state} (${facts.get("SubState")}); its last exit status was ${facts.get("ExecMainStatus")}`
    return { runs, line: `${this.name} ${how}. Log: ${this.logCommand}` }
  }

  #requireSystemd(): void {
    if (this.#host.platform === "linux" && this.#host.systemdRuns) return
    const where = this.#host.platform === "linux" ? "This machine is not run by systemd" : "This is not Linux"
    throw new CommandError(
      "startup",
      `${where}, and proxy-in sets up services of systemd only. Let your own service manager or container run proxy-in in the foreground; --dry-run prints what systemd would get.`,
    )
  }

  /** Whether there is a unit. One that somebody else wrote is left alone: raises `CommandError`. */
  async #requireOurs(verb: "replace" | "remove"): Promise<boolean> {
    const text = await this.#host.readText(this.path)
    if (text !== undefined && !text.startsWith(unitMark)) {
      throw new CommandError(
        "startup",
        `${this.path} was not written by proxy-in, which will not ${verb} it. Choose another --name.`,
      )
    }
    return text !== undefined
  }

  #notThere(): CommandError {
    return new CommandError(
      "startup",
      `There is no service ${this.name} (no ${this.path}). --name and --user have to be those of its install.`,
    )
  }

  async #systemctl(...given: readonly string[]): Promise<string> {
    const words = [...(this.#user ? ["--user"] : []), ...given]
    const { code, output, errors } = await this.#host.run("systemctl", words)
    if (code === 0) return output
    const said = errors.trim().split("\n")[0] ?? ""
    throw new CommandError(
      "startup",
      `systemctl ${words.join(" ")} failed: ${said === "" ? `exit status ${code}` : said}`,
    )
  }
}

function property(line: string): [string, string] {
  const equals = line.indexOf("=")
  return [line.slice(0, equals), line.slice(equals + 1)]
}
