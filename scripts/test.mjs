// Runs all tests, or those that the arguments name, after making sure that the servers they need are there.
// Nothing is skipped when one is missing: it is installed where that is allowed, else this says how to get it and fails.
import { spawn, spawnSync } from "node:child_process"
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const redisServer = need({
  programs: ["redis-server", "valkey-server"],
  variable: "RESTANTE_REDIS_SERVER",
  packages: { debian: "redis-server", fedora: "valkey", homebrew: "redis" },
})
need({
  programs: ["haproxy"],
  variable: undefined,
  packages: { debian: "haproxy", fedora: "haproxy", homebrew: "haproxy" },
})
need({
  programs: ["systemd-analyze"],
  variable: undefined,
  packages: { debian: "systemd", fedora: "systemd", homebrew: "none: this one is Linux only" },
})
need({ programs: ["git"], variable: undefined, packages: { debian: "git", fedora: "git", homebrew: "git" } })
need({
  programs: ["curl"],
  variable: undefined,
  packages: { debian: "curl", fedora: "curl", homebrew: "curl" },
})
const chromium = need({
  programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  variable: "RESTANTE_CHROMIUM",
  packages: { debian: "chromium", fedora: "chromium", homebrew: "chromium" },
})
// Programs are watched on a terminal that it makes.
need({
  programs: ["script"],
  variable: undefined,
  packages: { debian: "bsdutils", fedora: "util-linux-script", homebrew: "util-linux" },
})

const tests = spawn(join(root, "node_modules", ".bin", "vitest"), ["run", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, RESTANTE_REDIS_SERVER: redisServer, RESTANTE_CHROMIUM: chromium },
})
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => tests.kill(signal))
tests.on("exit", (code) => process.exit(code ?? 1))

/** The whole path of the first of the programs that is there. */
function need({ programs, variable, packages }) {
  const named = variable === undefined ? undefined : process.env[variable]
  if (named) {
    if (find(named) !== undefined) return find(named)
    console.error(`${variable} names ${named}, which cannot be run.`)
    process.exit(1)
  }
  const found = programs.map(find).find(Boolean)
  if (found !== undefined) return found
  const [program] = programs
  if (process.getuid?.() === 0 && find("apt-get") !== undefined) {
    console.error(`The tests need ${program}: installing the package ${packages.debian}`)
    aptInstall(packages.debian)
    const installed = find(program)
    if (installed !== undefined) return installed
  }
  console.error(
    `The tests need ${program}, which is not in PATH. Install it (Debian, Ubuntu: sudo apt-get install ${packages.debian}; ` +
      `Fedora: sudo dnf install ${packages.fedora}; macOS: brew install ${packages.homebrew})` +
      (variable === undefined ? "." : `, or set ${variable} to its path.`),
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

function aptInstall(debianPackage) {
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
    spawnSync("apt-get", ["-qq", "install", "-y", "--no-install-recommends", debianPackage], options)
  } finally {
    if (ours) rmSync(policy)
  }
}
