// An agent that wants to attach says who it is: a small JSON body, checked before anything of it is used.
import {
  maxPorts,
  maxRouteLength,
  maxRoutes,
  parseRoute,
  portKinds,
  portNamePattern,
  protocolVersion,
  routeText,
  tunnelNamePattern,
} from "@restante/protocol"
import type { PortRequest, RequestHead } from "@restante/protocol"
import { z } from "zod"
import type { RequestHandler } from "../exchange/client.ts"
import type { ClientConnection } from "../ingress/client-connection.ts"
import { problemResponse } from "./replies.ts"

export interface AttachHello {
  /** 1 to 63 of a-z, 0-9 and "-". */
  readonly tunnel: string
  readonly instance: string
  readonly concurrency: number
  /** Where requests for it come in; empty: at its name. As `routeText` writes them, each once. */
  readonly routes: readonly string[]
  /** Whether a route's prefix is cut off before the agent gets the request. */
  readonly stripPrefix: boolean
  /** Whether it takes requests; false: only what comes in at its ports. */
  readonly http: boolean
  /** Ports of this host that are to lead to it. */
  readonly ports: readonly PortRequest[]
  /** Most connections and flows of ports at a time; they do not count against `concurrency`. */
  readonly connections: number
  /** Whether it takes messages in pieces. */
  readonly pieces: boolean
  /** Name and version, for logs. */
  readonly software: string
}

const helloSchema = z.object({
  protocol: z.literal(protocolVersion),
  tunnel: z.string().regex(tunnelNamePattern),
  instance: z.string().regex(/^[\w-]{1,64}$/),
  concurrency: z.int().min(0).max(65_535),
  routes: z
    .array(z.string().max(maxRouteLength).transform(canonicalRoute))
    .max(maxRoutes)
    .default([])
    .transform((routes) => [...new Set(routes)].toSorted()),
  stripPrefix: z.boolean().default(false),
  http: z.boolean().default(true),
  ports: z
    .array(
      z.object({
        kind: z.enum(portKinds),
        name: z.string().regex(portNamePattern),
        port: z.int().min(0).max(65_535),
      }),
    )
    .max(maxPorts)
    .refine((ports) => new Set(ports.map(({ kind, name }) => `${kind} ${name}`)).size === ports.length)
    .default([]),
  connections: z.int().min(1).max(65_535).default(4096),
  pieces: z.boolean().default(false),
  software: z.string().regex(/^[\x20-\x7e]{1,100}$/),
})

const versionSchema = z.object({ protocol: z.number() })

/** The longest routes, all of them, and the rest. */
const maxBodyBytes = 64 * 1024

export class AttachRequest implements RequestHandler {
  readonly #connection: ClientConnection
  readonly #keepAlive: boolean
  readonly #accept: (hello: AttachHello) => Promise<Buffer>
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #gone = false

  constructor(
    head: RequestHead,
    connection: ClientConnection,
    accept: (hello: AttachHello) => Promise<Buffer>,
  ) {
    this.#connection = connection
    this.#keepAlive = head.keepAlive
    this.#accept = accept
  }

  onBody(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes <= maxBodyBytes) this.#chunks.push(bytes)
  }

  onBodyEnd(): void {
    void this.#reply()
  }

  onReadPaused(): void {}

  onClientDrain(): void {}

  onClientGone(): void {
    this.#gone = true
  }

  async #reply(): Promise<void> {
    const answer = await this.#answer()
    if (this.#gone) return
    this.#connection.write(answer)
    this.#connection.finish(this.#keepAlive)
  }

  async #answer(): Promise<Buffer> {
    if (this.#bytes > maxBodyBytes)
      return problemResponse("malformed_request", { detail: `more than ${maxBodyBytes} bytes` })
    const said = parseJson(Buffer.concat(this.#chunks).toString("utf8"))
    const hello = helloSchema.safeParse(said)
    if (hello.success) return this.#accept(hello.data)
    const version = versionSchema.safeParse(said)
    if (version.success && version.data.protocol !== protocolVersion)
      return problemResponse("version_unsupported")
    const path = hello.error.issues[0]?.path.join(".")
    return problemResponse("malformed_request", path === undefined || path === "" ? {} : { detail: path })
  }
}

function canonicalRoute(text: string, context: z.RefinementCtx): string {
  const route = parseRoute(text)
  if (route !== undefined) return routeText(route)
  context.addIssue({ code: "custom", message: "not a route" })
  return z.NEVER
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
