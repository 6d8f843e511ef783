// Writes the effective configuration for --print-config: YAML that could be a file of --config, each line with where its value came from.
import type { Configuration, TunnelSettings } from "./configuration.ts"
import type { Option, OptionTable } from "./options.ts"
import { isSecret, type Origin, type Setting } from "./settings.ts"

/** `problems` are those besides what is missing, which the text itself shows. */
export function printedConfiguration(
  { name, options }: { readonly name: string; readonly options: OptionTable },
  configuration: Configuration,
): { readonly kind: "print"; readonly text: string; readonly problems: readonly string[] } {
  const { top, tunnels, problems, missing, warnings } = configuration
  const entries = tunnels.filter(({ entry }) => entry !== undefined)
  const lines = [`# ${name}: what it would run with. Nothing was started.`]
  lines.push(...warnings.map((warning) => `# Warning: ${warning}`))
  for (const [option, of] of Object.entries(options)) {
    const setting = top.found.get(option)
    if (option === "config") {
      if (setting !== undefined) lines.push(`# config ${setting.texts[0]} (${originText(setting.origin)})`)
    } else if (setting !== undefined && !(option === "tunnel" && entries.length > 0)) {
      lines.push(settingLine(option, of, setting))
    } else if (setting === undefined) {
      const stated = entries.length > 0 && of.perTunnel === true
      lines.push(absentLine(option, top.missing.includes(option) && !stated))
    }
  }
  if (entries.length > 0) lines.push("tunnels:", ...entries.flatMap((tunnel) => tunnelLines(options, tunnel)))
  const others = problems.filter((problem) => !missing.includes(problem))
  return { kind: "print", text: `${lines.join("\n")}\n`, problems: others.map(({ message }) => message) }
}

function tunnelLines(options: OptionTable, { entry, own, found, missing }: TunnelSettings): string[] {
  const lines = [...own].flatMap((option) => {
    const setting = found.get(option)
    return setting === undefined ? [] : [`    ${settingLine(option, options[option]!, setting)}`]
  })
  const absent = missing.map((option) => `    ${absentLine(option, true)}`)
  const [first = "", ...rest] = [...lines, ...absent]
  return first === "" ? [`  ${entry}:`] : [`  ${entry}:`, first, ...rest]
}

function settingLine(name: string, option: Option<unknown>, { texts, origin }: Setting): string {
  const values = texts.map((text) => scalar(isSecret(option, text) ? "[secret]" : text))
  const value = option.list === true ? `[${values.join(", ")}]` : (values[0] ?? "")
  return `${`${name}: ${value}`.padEnd(commentColumn)} # ${originText(origin)}`
}

function absentLine(name: string, missing: boolean): string {
  return `# ${name}: ${missing ? "missing, and required" : "not set"}`
}

const commentColumn = 38

function originText(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
      return "flag"
    case "environment":
      return `environment ${origin.variable}`
    case "file":
      return `file ${origin.file}:${origin.line}`
    case "default":
      return "default"
  }
}

/** The text as YAML reads it back: in quotes unless it is surely plain. */
function scalar(text: string): string {
  const plain = /^[A-Za-z0-9/][\w./:@%+-]*$/.test(text) && !text.endsWith(":")
  return plain && !/^(?:null|Null|NULL)$/.test(text) ? text : JSON.stringify(text)
}
