// What can be said about commands that cannot be run in a test (they need a container engine, a cluster, root): their shell
// syntax, and that every proxy-in, proxy-out and npm script in them exists and takes the options that are given.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./pages.ts"

/** Commands that check what the block says, and change nothing. */
export function checksOf(text: string): readonly string[] {
  const lines = text.replace(/\\\n\s*/g, " ").split("\n")
  const commands = lines.flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/&&|\|\|?|;/))
  return commands.map((command) => command.trim()).flatMap(checksOfCommand)
}

function checksOfCommand(command: string): readonly string[] {
  const own = /^(?:sudo |[A-Z_]+=\S* |docker run .*?restante )*(proxy-(?:in|out)\b.*)$/.exec(command)?.[1]
  if (own === undefined) return []
  const [, program = "", group = "", rest = ""] =
    /^(\S+) ?(service|token|tunnel|config|doctor)?(.*)$/.exec(own) ?? []
  if (group === "service" && rest.trim().startsWith("install"))
    return [`${program} service${rest} --user --dry-run`]
  if (group !== "") return [`${program} ${group} ${rest.trim().split(" ")[0] ?? ""} --help`]
  return [`RESTANTE_TOKEN=${"x".repeat(43)} ${program} ${rest} --print-config`]
}

/** Scripts of `npm run NAME` and `npm test` in the block that package.json does not have. */
export function missingScripts(text: string): readonly string[] {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const { scripts } = manifest as { readonly scripts: Readonly<Record<string, string>> }
  const named = [...text.matchAll(/npm (?:run )?([a-z][\w:-]*)/g)].map(([, name = ""]) => name)
  return named.filter((name) => !["install", "ci", "pack", "exec"].includes(name) && !(name in scripts))
}
