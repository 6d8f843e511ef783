// The Kubernetes manifests, each object held against Kubernetes' own schema, and all together against each other.
import { readdir, readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, test } from "vitest"
import { parse, parseAllDocuments } from "yaml"

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

/** Of a Deployment what these tests look at. Its schema says the rest. */
interface Deployment extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: object }
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: {
        readonly securityContext: object
        readonly automountServiceAccountToken: boolean
        readonly enableServiceLinks: boolean
        readonly terminationGracePeriodSeconds?: number
        readonly containers: readonly {
          readonly command?: readonly string[]
          readonly env?: readonly { readonly name: string }[]
        }[]
      }
    }
  }
}

const files = ["balancer", "ingress", "namespace", "proxy-in", "proxy-out", "redis"] as const
let manifests: ReadonlyMap<string, readonly Manifest[]>

beforeAll(async () => {
  const read = files.map(async (name) => [name, await objectsOf(name)] as const)
  manifests = new Map(await Promise.all(read))
})

test("every manifest is looked at here", async () => {
  const names = await readdir(fileURLToPath(new URL("../../ops/kubernetes", import.meta.url)))
  expect(names.toSorted()).toEqual(files.map((name) => `${name}.yaml`))
})

test.each(files)("%s.yaml is what Kubernetes takes", async (name) => {
  expect(manifests.get(name)?.length).toBeGreaterThan(0)
  for (const manifest of manifests.get(name) ?? []) expect(await problem(manifest)).toBe("")
})

test("a wrong type is found", async () => {
  expect(await problem(changed({ replicas: "two" }))).toContain("replicas")
})

describe.each(["balancer", "proxy-in", "proxy-out", "redis"] as const)("the pods of %s", (name) => {
  test("run without privileges, and with limits", () => {
    const { spec } = deployment(name).spec.template
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    })
    expect(spec.automountServiceAccountToken).toBe(false)
    expect(spec.containers).toMatchObject([
      {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { limits: { memory: expect.stringMatching(/^\d+[MG]i$/) } },
        readinessProbe: expect.anything(),
      },
    ])
  })

  test("get no variables from Services, which would be taken for options", () => {
    expect(deployment(name).spec.template.spec.enableServiceLinks).toBe(false)
  })

  test("are found by their own labels", () => {
    const { selector, template } = deployment(name).spec
    expect(template.metadata?.labels).toEqual(selector.matchLabels)
  })
})

test.each(["balancer", "proxy-in", "proxy-out"] as const)(
  "%s has the 30 s that it may take to finish, and some more",
  (name) => {
    expect(deployment(name).spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(40)
  },
)

test("an edge that is finishing keeps its address, so that its agents still reach it", () => {
  const service = manifests.get("proxy-out")?.find(({ kind }) => kind === "Service")
  expect(service).toMatchObject({ spec: { clusterIP: "None", publishNotReadyAddresses: true } })
})

test("the balancer gets every variable that its configuration names, and that configuration", async () => {
  const configuration = await text("haproxy/haproxy.cfg")
  const wanted = Array.from(configuration.matchAll(/\$\{(\w+)\}/g), ([, variable]) => variable ?? "")
  const [container] = deployment("balancer").spec.template.spec.containers
  const given = [...(container?.env ?? []).map((one) => one.name), ...assigned(container?.command ?? [])]
  expect(given.toSorted()).toEqual(Array.from(new Set(wanted).values()).toSorted((a, b) => (a < b ? -1 : 1)))
  expect(parse(await text("kustomization.yaml"))).toMatchObject({
    configMapGenerator: [{ name: "balancer", files: ["haproxy/haproxy.cfg"] }],
  })
})

test("kubectl apply -k ops brings everything but the agent, which belongs elsewhere", async () => {
  const { resources } = parse(await text("kustomization.yaml")) as { resources: string[] }
  const all = files.filter((name) => name !== "proxy-in").map((name) => `kubernetes/${name}.yaml`)
  expect(resources.toSorted()).toEqual(all)
})

test("no token stands in a manifest", () => {
  const secrets = Array.from(manifests.values())
    .flat()
    .filter(({ kind }) => kind === "Secret")
  expect(secrets).toEqual([])
})

/** What the schema has against it; empty when nothing. */
async function problem(manifest: Manifest): Promise<string> {
  // The package's own types do not compile with our settings, so TypeScript must not see which module this is.
  const module = `kubernetes-models/${manifest.apiVersion}`
  const models = (await import(/* @vite-ignore */ module)) as Models
  const Model = models[manifest.kind]
  if (Model === undefined) return `no schema for ${manifest.kind}`
  try {
    new Model(manifest).validate()
    return ""
  } catch (error) {
    return String(error)
  }
}

/** proxy-out's Deployment with something else in its specification. */
function changed(spec: object): Manifest {
  const found = deployment("proxy-out")
  const manifest: Deployment = { ...found, spec: { ...found.spec, ...spec } }
  return manifest
}

type Models = Readonly<Record<string, new (manifest: Manifest) => { validate(): void }>>

function deployment(name: (typeof files)[number]): Deployment {
  const found = manifests.get(name)?.find(({ kind }) => kind === "Deployment")
  if (found === undefined) throw new Error(`${name}.yaml has no Deployment`)
  return found as Deployment
}

function assigned(command: readonly string[]): string[] {
  return command.flatMap((word) => Array.from(word.matchAll(/^(\w+)=/g), ([, name]) => name ?? ""))
}

async function objectsOf(name: string): Promise<readonly Manifest[]> {
  const documents = parseAllDocuments(await text(`kubernetes/${name}.yaml`))
  return documents.map((document) => document.toJS() as Manifest)
}

function text(path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../ops/${path}`, import.meta.url)), "utf8")
}
