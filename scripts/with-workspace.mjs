// Runs one of the repository's scripts with everything it needs, from nothing but Node >= 20 and npm:
// installs the workspace (which brings pnpm and Node 24), builds it, then starts the script under that Node.
//   node scripts/with-workspace.mjs SCRIPT [arguments for it]
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const bin = join(root, "node_modules", ".bin")
const markerFile = join(root, "node_modules", ".restante-installed")
const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"]
const [script, ...scriptArguments] = process.argv.slice(2)

if (script === undefined) {
  console.error("Usage: node scripts/with-workspace.mjs SCRIPT [arguments]")
  process.exit(2)
}
await install()
await mustSucceed("Building", join(bin, "tsc"), ["-b"])
const sourceCondition = script.endsWith(".ts") ? ["--conditions=@restante/source"] : []
leaveLike(await run(join(bin, "node"), [...sourceCondition, join(root, script), ...scriptArguments]))

async function install() {
  const wanted = fingerprint()
  if (existsSync(join(bin, "node")) && existsSync(markerFile) && readFileSync(markerFile, "utf8") === wanted)
    return
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  // CI: pnpm asks no questions. The npm that started us may hand its own settings on, which npx only warns about.
  const environment = { ...process.env, CI: "true" }
  await mustSucceed("Installing", "npx", ["-y", packageManager, "install", "--frozen-lockfile"], environment)
  writeFileSync(markerFile, wanted)
}

/** Changes whenever an install could come out differently. */
function fingerprint() {
  const packages = readdirSync(join(root, "packages"))
    .map((name) => join("packages", name, "package.json"))
    .filter((file) => existsSync(join(root, file)))
  const hash = createHash("sha256")
  for (const file of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ...packages]) {
    hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest("hex")
}

async function mustSucceed(what, command, commandArguments, environment = process.env) {
  const began = performance.now()
  const hint = setTimeout(() => console.error(`${what} the workspace…`), 500)
  const ended = await run(command, commandArguments, environment, "ignore")
  clearTimeout(hint)
  if (ended.code !== 0) {
    console.error(`${what} the workspace failed: ${command} ${commandArguments.join(" ")}`)
    leaveLike(ended)
  }
  const seconds = (performance.now() - began) / 1000
  if (seconds > 2) console.error(`${what} the workspace took ${seconds.toFixed(1)} s`)
}

/** Runs a program to its end, passing on the signals that we get, and stops it when whoever started us is gone. */
function run(command, commandArguments, environment = process.env, stdin = "inherit") {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, {
      cwd: root,
      stdio: [stdin, "inherit", "inherit"],
      env: { ...environment, PATH: bin + delimiter + environment.PATH },
    })
    const passOn = (signal) => child.kill(signal)
    for (const signal of passedOn) process.on(signal, passOn)
    const parent = process.ppid
    // npm may die without a word to us, or its shell may take the signal for itself.
    const orphaned = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(orphaned)
      child.kill("SIGTERM")
    }, 500)
    const end = (ended) => {
      clearInterval(orphaned)
      for (const signal of passedOn) process.off(signal, passOn)
      resolve(ended)
    }
    child.on("error", (error) => {
      console.error(`Cannot run ${command}: ${error.message}`)
      end({ code: 127, signal: null })
    })
    child.on("exit", (code, signal) => end({ code, signal }))
  })
}

function leaveLike({ code, signal }) {
  if (signal !== null) process.kill(process.pid, signal)
  process.exit(code ?? 1)
}
