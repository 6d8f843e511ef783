// Builds the Dockerfile's stages by hand, for machines without a container engine: each stage is a folder that stands for its
// file system, COPY copies, RUN runs in a shell, with the Node that runs the tests in the base image's place.
import { spawn } from "node:child_process"
import { access, constants, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, delimiter, dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import dockerignore from "@balena/dockerignore"
import { DockerfileParser, type Instruction, type JSONInstruction } from "dockerfile-ast"

export interface BuiltStage {
  /** The folder that is the stage's "/". */
  readonly root: string
  readonly base: string
  readonly workdir: string
  /** PATH and all other variables, as paths of this machine. */
  readonly environment: Readonly<Record<string, string>>
  readonly user: string | undefined
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly healthcheck: readonly string[]
}

export class BuiltImage implements AsyncDisposable {
  readonly #root: string
  readonly #stages: ReadonlyMap<string, BuiltStage>

  constructor(root: string, stages: ReadonlyMap<string, BuiltStage>) {
    this.#root = root
    this.#stages = stages
  }

  stage(name: string): BuiltStage {
    const stage = this.#stages.get(name)
    if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`)
    return stage
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#root, { recursive: true, force: true })
  }
}

/** Rejects with what a command said when it fails, and for an instruction that this does not know. */
export async function buildImage(): Promise<BuiltImage> {
  const root = await mkdtemp(join(tmpdir(), "restante-image-"))
  const stages = new Map<string, Stage>()
  try {
    const context = join(root, "context")
    await copyContext(context)
    const tools = await nodeTools(join(root, "tools"))
    const dockerfile = DockerfileParser.parse(await readFile(join(repository, "Dockerfile"), "utf8"))
    let current: Stage | undefined
    for (const instruction of dockerfile.getInstructions()) {
      if (instruction.getKeyword() === "FROM") {
        const [base = "", , name = ""] = texts(instruction)
        current = new Stage({ root: join(root, "stages", name), base, context, tools, stages })
        stages.set(name, current)
      } else if (current !== undefined) await current.run(instruction)
    }
    return new BuiltImage(root, stages)
  } catch (error) {
    await rm(root, { recursive: true, force: true })
    throw error
  }
}

/** Bytes of everything below a folder. Hard links count once. */
export async function bytesBelow(folder: string): Promise<number> {
  const output = await runToEnd("du", ["--summarize", "--bytes", folder], { cwd: folder, env: process.env })
  return Number.parseInt(output, 10)
}

const repository = fileURLToPath(new URL("../..", import.meta.url))

interface StageParts {
  readonly root: string
  readonly base: string
  readonly context: string
  readonly tools: string
  readonly stages: ReadonlyMap<string, Stage>
}

class Stage implements BuiltStage {
  readonly root: string
  readonly base: string
  readonly #parts: StageParts
  workdir = "/"
  user: string | undefined
  entrypoint: readonly string[] = []
  command: readonly string[] = []
  healthcheck: readonly string[] = []
  #variables: Readonly<Record<string, string>> = { PATH: "/usr/local/bin:/usr/bin:/bin" }

  constructor(parts: StageParts) {
    this.root = parts.root
    this.base = parts.base
    this.#parts = parts
  }

  get environment(): Readonly<Record<string, string>> {
    const path = (this.#variables["PATH"] ?? "")
      .split(":")
      .map((folder) => this.#outside(folder))
      .join(":")
    return { ...this.#variables, PATH: path }
  }

  async run(instruction: Instruction): Promise<void> {
    const keyword = instruction.getKeyword()
    const given = texts(instruction)
    switch (keyword) {
      case "WORKDIR":
        this.workdir = posix.resolve(this.workdir, given[0] ?? "")
        return void (await mkdir(this.#inside(this.workdir), { recursive: true }))
      case "ENV":
        this.#variables = { ...this.#variables, ...Object.fromEntries(given.map(assignment)) }
        return
      case "COPY":
        return await this.#copy(instruction as JSONInstruction)
      case "RUN":
        await runToEnd("/bin/sh", ["-c", rawText(instruction)], {
          cwd: this.#inside(this.workdir),
          env: { ...downloads(), ...this.environment },
        })
        return
      case "USER":
        this.user = given[0]
        return
      case "ENTRYPOINT":
        this.entrypoint = words(rawText(instruction))
        return
      case "CMD":
        this.command = words(rawText(instruction))
        return
      case "HEALTHCHECK":
        this.healthcheck = words(rawText(instruction).replace(/^CMD\s+/, ""))
        return
      case "LABEL":
      case "EXPOSE":
      case "STOPSIGNAL":
        return
      default:
        throw new Error(`the test does not know how to do ${keyword}`)
    }
  }

  async #copy(instruction: JSONInstruction): Promise<void> {
    const stageName = instruction
      .getFlags()
      .find((flag) => flag.getName() === "from")
      ?.getValue()
    const given = texts(instruction)
    const target = given.at(-1) ?? ""
    const into = this.#inside(posix.resolve(this.workdir, target))
    const sources = given.slice(0, -1)
    const whole = !target.endsWith("/") && sources.length === 1
    for (const source of sources) {
      const from = this.#source(stageName, source)
      const isFolder = (await readdir(from).catch(() => undefined)) !== undefined
      const to = whole || isFolder ? into : join(into, basename(source))
      await mkdir(dirname(to), { recursive: true })
      await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
    }
  }

  #source(stageName: string | null | undefined, path: string): string {
    if (stageName === undefined || stageName === null) return join(this.#parts.context, path)
    const stage = this.#parts.stages.get(stageName)
    if (stage === undefined) throw new Error(`COPY --from=${stageName}: there is no such stage yet`)
    return stage.#inside(path)
  }

  #inside(path: string): string {
    return join(this.root, path)
  }

  /** A folder of PATH: the stage's own, else the one that stands for the base image's. */
  #outside(folder: string): string {
    if (folder === "/usr/local/bin") return this.#parts.tools
    return folder.startsWith("/usr/") || folder === "/bin" ? folder : this.#inside(folder)
  }
}

/** What `docker build` would send: the folder without what .dockerignore names. */
async function copyContext(context: string): Promise<void> {
  const ignore = dockerignore.default().add(await readFile(join(repository, ".dockerignore"), "utf8"))
  const copy = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(repository, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name)
      if (neverSent.has(entry.name)) continue
      if (entry.isDirectory()) await copy(path)
      else if (!ignore.ignores(path)) {
        await mkdir(join(context, folder), { recursive: true })
        await cp(join(repository, path), join(context, path), { verbatimSymlinks: true })
      }
    }
  }
  await copy(".")
}

/** Large, and looking through them takes long; that they are ignored the test of .dockerignore says. */
const neverSent: ReadonlySet<string> = new Set(["node_modules", ".git"])

/** A folder with what the base image has in /usr/local/bin. */
async function nodeTools(folder: string): Promise<string> {
  await mkdir(folder)
  await symlink(process.execPath, join(folder, "node"))
  for (const name of ["npm", "npx"]) await symlink(await onPath(name), join(folder, name))
  return folder
}

async function onPath(program: string): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, program)
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return file
  }
  throw new Error(`${program} is not in PATH`)
}

/** What npm needs to find packages on this machine, and where it keeps those that it has. */
function downloads(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) =>
    /^(?:HOME|XDG_.*|npm_config_.*|.*_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_.*)$/i.test(name),
  )
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? ""]))
}

function texts(instruction: Instruction): string[] {
  return instruction.getArguments().map((argument) => argument.getValue())
}

function rawText(instruction: Instruction): string {
  return instruction.getArgumentsContent() ?? ""
}

function words(json: string): readonly string[] {
  const value: unknown = JSON.parse(json)
  if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value
  throw new Error(`not a list of words: ${json}`)
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf("=")
  return [text.slice(0, equals), text.slice(equals + 1)]
}

function runToEnd(
  command: string,
  given: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, given, { ...options, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    let errors = ""
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()))
    child.stderr.on("data", (bytes: Buffer) => (errors += bytes.toString()))
    child.once("error", reject)
    child.once("close", (code) => {
      if (code === 0) resolve(output)
      else
        reject(
          new Error(`${command} ${given.join(" ")} ended with ${code}: ${output}${errors}`.slice(0, 4000)),
        )
    })
  })
}
