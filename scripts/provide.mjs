// Finds programs in PATH; installs what is missing where that is allowed (root on Debian), all of it at once. Otherwise it says in one
// message what is missing and how to get it, and ends with exit status 1.
import { spawnSync } from "node:child_process"
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, isAbsolute, join } from "node:path"

/**
 * The whole path of each need's first program that is there. A need: `programs`, any of which will do; `packages` that bring it, by kind
 * of system; perhaps `variable`, an environment variable that names another place.
 */
export function provide(needs) {
  const missing = Object.values(needs).filter((need) => placeOf(need) === undefined)
  if (missing.length > 0 && process.getuid?.() === 0 && find("apt-get") !== undefined) {
    const packages = missing.map((need) => need.packages.debian)
    console.error(`The tests need more than is here: installing ${packages.join(", ")}`)
    aptInstall(packages)
  }
  const still = missing.filter((need) => placeOf(need) === undefined)
  if (still.length > 0) refuse(still)
  return Object.fromEntries(Object.entries(needs).map(([name, need]) => [name, placeOf(need)]))
}

function placeOf({ programs, variable }) {
  const named = variable === undefined ? undefined : process.env[variable]
  if (!named) return programs.map(find).find(Boolean)
  const found = find(named)
  if (found !== undefined) return found
  console.error(`${variable} names ${named}, which cannot be run.`)
  process.exit(1)
}

function refuse(needs) {
  const names = needs.map(({ programs, variable }) =>
    variable === undefined ? programs[0] : `${programs[0]} (or set ${variable} to its path)`,
  )
  const packages = (system) => needs.map((need) => need.packages[system]).join(" ")
  console.error(
    `The tests need ${names.join(", ")}: not in PATH. Install with\n` +
      `  Debian, Ubuntu: sudo apt-get install ${packages("debian")}\n` +
      `  Fedora: sudo dnf install ${packages("fedora")}\n` +
      `  macOS: brew install ${packages("homebrew")}`,
  )
  process.exit(1)
}

function find(program) {
  const candidates = isAbsolute(program)
    ? [program]
    : (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program))
  return candidates.find(isExecutable)
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function aptInstall(packages) {
  // Debian starts a service as it installs it, unless this file says no. An administrator's own file is left alone.
  const policy = "/usr/sbin/policy-rc.d"
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 })
  try {
    const options = {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }
    spawnSync("apt-get", ["-qq", "update"], options)
    spawnSync("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...packages], options)
  } finally {
    if (ours) rmSync(policy)
  }
}
