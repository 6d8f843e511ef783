// The systemd unit that runs this program with given options, as text (systemd.service(5), systemd.exec(5)).

export interface UnitPlan {
  readonly description: string
  /** Node and the script. */
  readonly program: readonly string[]
  /** Words after the program. */
  readonly given: readonly GivenWord[]
  readonly runsAs: RunsAs
  /** Where names in a --config file begin that are no whole paths; undefined: there are none. */
  readonly workingDirectory?: string | undefined
  /** Whether the private server is a socket in the file system: then the service has to see all of it. */
  readonly needsFiles: boolean
}

/** A word of the command line; `credential` is the name under which systemd hands the service a copy of that file. */
export type GivenWord =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "file"; readonly credential: string; readonly path: string }

/** `dynamic`: a user that systemd makes for this service alone. `self`: whoever the unit's manager runs for. */
export type RunsAs =
  | { readonly kind: "dynamic" }
  | { readonly kind: "user"; readonly name: string }
  | { readonly kind: "self" }

/** By it uninstalling knows that the unit is one of ours. */
export const unitMark = "# Written by: proxy-in service install"

export function unitText(plan: UnitPlan): string {
  const { description, program, given, runsAs, workingDirectory, needsFiles } = plan
  const copies = runsAs.kind === "dynamic"
  const words = given.map((word) => {
    if (word.kind === "word") return unitWord(word.text)
    return copies ? `%d/${word.credential}` : unitWord(word.path)
  })
  const credentials = given.flatMap((word) =>
    word.kind === "file" && copies ? `LoadCredential=${word.credential}:${unitPath(word.path)}` : [],
  )
  return [
    unitMark,
    "[Unit]",
    `Description=${description.replaceAll("%", "%%")}`,
    ...(runsAs.kind === "self" ? [] : ["Wants=network-online.target", "After=network-online.target"]),
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${[...program.map(unitWord), ...words].join(" ")}`,
    ...(workingDirectory === undefined ? [] : [`WorkingDirectory=${unitPath(workingDirectory)}`]),
    ...credentials,
    ...restarting,
    ...(runsAs.kind === "dynamic" ? ["DynamicUser=yes"] : []),
    ...(runsAs.kind === "user" ? [`User=${runsAs.name}`] : []),
    ...(runsAs.kind === "self" ? ["NoNewPrivileges=yes"] : hardening),
    ...(runsAs.kind === "self" || needsFiles ? [] : hidden(runsAs)),
    "",
    "[Install]",
    `WantedBy=${runsAs.kind === "self" ? "default.target" : "multi-user.target"}`,
    "",
  ].join("\n")
}

/** One word of ExecStart: nothing in it is expanded, and it stays one word. */
export function unitWord(text: string): string {
  const literal = text.replaceAll("%", "%%").replaceAll("$", () => "$$")
  if (/^[\w@%+=:,./$-]+$/.test(literal)) return literal
  return `"${literal.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\t", "\\t")}"`
}

function unitPath(path: string): string {
  return path.replaceAll("%", "%%")
}

const restarting = [
  "Restart=always",
  "RestartSec=2",
  // A wrong command line does not get better by itself.
  "RestartPreventExitStatus=2",
  // What runs may finish for 30 s.
  "TimeoutStopSec=35",
  "KillMode=mixed",
  "LimitNOFILE=65536",
]

/** The same as in ops/systemd/proxy-in.service. No MemoryDenyWriteExecute: V8 compiles as it runs. */
const hardening = [
  "UMask=0077",
  "CapabilityBoundingSet=",
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  "PrivateDevices=yes",
  "ProtectProc=invisible",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged",
  "SystemCallErrorNumber=EPERM",
]

/** A named user's files may be in a home or a temporary folder. */
function hidden(runsAs: RunsAs): readonly string[] {
  return runsAs.kind === "dynamic" ? ["PrivateTmp=yes", "ProtectHome=yes"] : ["ProtectHome=read-only"]
}
