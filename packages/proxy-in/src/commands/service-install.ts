// proxy-in service install: a systemd unit that runs this very program with the given options, started now and at every boot.
import { resolve } from "node:path"
import { command, CommandError, systemReason, type OptionTable, type Source } from "@restante/protocol"
import { agentTable } from "../cli-options.ts"
import type { ServiceHost } from "../service/service-host.ts"
import { serviceOptions } from "../service/service-options.ts"
import { SystemdService } from "../service/systemd-service.ts"
import { unitText, type GivenWord, type RunsAs } from "../service/unit-text.ts"
import type { AgentSurroundings } from "../surroundings.ts"

const installOptions = {
  ...serviceOptions,
  "run-as": {
    group: "The service",
    placeholder: "USER",
    help: "who the system's service runs as; without it a user of its own, which gets copies of the files that you name",
    read: parseUser,
  },
  "dry-run": {
    group: "The service",
    flag: true,
    help: "print the unit and change nothing",
    read: (text: string): boolean => text === "true",
  },
} as const satisfies OptionTable

const options = { ...installOptions, ...agentTable } as const satisfies OptionTable

export const serviceInstall = command({
  words: ["service", "install"],
  summary: "keep this program running with these options as a service of systemd",
  options,
  examples: [
    {
      command:
        "sudo proxy-in service install --server http://127.0.0.1:3000 --external https://edge.example --token-file restante.token",
      meaning: "starts now and at every boot, as a user that can do nothing else",
    },
    {
      command: "proxy-in service install --user --name wiki --config wiki.yaml",
      meaning: "one of several services of your own",
    },
  ],
  notes: [
    "Only options of this command line count: the service does not see your environment. Its command line holds no secret: the token stays in its file. After a change of a file: systemctl restart NAME.",
  ],
  async run({ values, typed }, { serviceHost, output }: AgentSurroundings) {
    const host = serviceHost()
    const user = values.user
    const service = new SystemdService(host, { name: values.name, user })
    const given = givenWords(typed, host)
    requireWholeCommand(typed)
    await requireFiles(given, host)
    const runsAs = await whoRuns({ user, runAs: values["run-as"], typed, host })
    const unit = unitText({
      description: `Restante agent ${values.name}`,
      program: host.program,
      given,
      runsAs,
      workingDirectory: typed.has("config") ? host.workingDirectory : undefined,
      needsFiles: typed.get("server")?.texts[0]?.startsWith("unix:") === true,
    })
    if (values["dry-run"]) {
      output.write(unit)
      return 0
    }
    await service.install(unit)
    const lingering = user ? "It stops when you log out. To keep it: loginctl enable-linger\n" : ""
    output.write(
      `Wrote ${service.path} and started ${service.name}; it starts at every boot.\nLog: ${service.logCommand}\n${lingering}`,
    )
    return 0
  },
})

/** The command line of the service: every option of the program that was typed, its files with their whole paths. */
function givenWords(typed: Source, host: ServiceHost): readonly GivenWord[] {
  const words: GivenWord[] = []
  const table: OptionTable = agentTable
  for (const [name, { texts }] of typed) {
    const option = table[name]
    if (option === undefined) continue
    for (const text of texts) {
      if (option.flag === true) {
        words.push({ kind: "word", text: text === "true" ? `--${name}` : `--no-${name}` })
        continue
      }
      words.push({ kind: "word", text: `--${name}` })
      words.push(
        option.placeholder === "FILE"
          ? { kind: "file", credential: name, path: resolve(host.workingDirectory, text) }
          : { kind: "word", text },
      )
    }
  }
  return words
}

/** What came from the environment is not there when systemd starts the service. */
function requireWholeCommand(typed: Source): void {
  if (typed.has("config")) return
  const onlyPorts = typed.has("tcp") || typed.has("udp")
  const needed = [...(onlyPorts ? [] : ["server"]), "external", "token-file"]
  const missing = needed.find((name) => !typed.has(name))
  if (missing === undefined) return
  throw new CommandError(
    "usage",
    `A service does not see your environment: give --${missing} on this command line, or everything in a file with --config.`,
  )
}

async function requireFiles(given: readonly GivenWord[], host: ServiceHost): Promise<void> {
  for (const word of given) {
    if (word.kind === "word") continue
    const text = await host.readText(word.path).catch((error: unknown) => {
      throw new CommandError("usage", `Cannot read ${word.path}: ${systemReason(error)}.`, { cause: error })
    })
    if (text === undefined)
      throw new CommandError("usage", `There is no file ${word.path}, which --${word.credential} names.`)
  }
}

/** What a service with a user of its own does not see. */
const hiddenPlaces = /^\/(?:home|root|run\/user|tmp|var\/tmp)\//

async function whoRuns({
  user,
  runAs,
  typed,
  host,
}: {
  readonly user: boolean
  readonly runAs: string | undefined
  readonly typed: Source
  readonly host: ServiceHost
}): Promise<RunsAs> {
  if (user) {
    if (runAs === undefined) return { kind: "self" }
    throw new CommandError("usage", "--run-as is for the system's services; one of --user runs as you.")
  }
  if (runAs !== undefined) return { kind: "user", name: runAs }
  if (typed.has("config")) {
    throw new CommandError(
      "usage",
      "A --config file may name files that only you can read: say with --run-as USER who the service runs as, or use --user.",
    )
  }
  for (const file of host.program) {
    if (!hiddenPlaces.test(file) && (await host.readableByAll(file))) continue
    throw new CommandError(
      "usage",
      `The service's own user could not read ${file}. Install proxy-in for everybody, or say with --run-as USER who it runs as.`,
    )
  }
  return { kind: "dynamic" }
}

function parseUser(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(text)) return text
  throw new CommandError(
    "usage",
    "This is not a user's name. Write it as in /etc/passwd, e.g. --run-as www-data.",
  )
}
