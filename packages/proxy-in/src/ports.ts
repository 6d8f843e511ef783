// The ports of the edge that this agent asks for, and where each leads: read from `PORT=HOST:PORT` and `PORT=unix:/path`.
import { CommandError, maxPorts } from "@restante/protocol"
import type { OpenPort, PortKind, PortRequest } from "@restante/protocol"
import type { AgentOptions, UpstreamAddress } from "./agent-options.ts"
import { parseUpstream, upstreamText } from "./addresses.ts"

export interface PortMapping extends PortRequest {
  readonly target: PortTarget
}

export type PortTarget =
  /** `host`: name, IPv4 or IPv6 address without brackets. */
  | { readonly kind: "place"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }

/** What one `--tcp` or `--udp` says; `port` 0: the edge chooses. */
export type PortArgument = Pick<PortMapping, "kind" | "port" | "target">

/** Raises `CommandError("usage")`. */
export function parseTcpArgument(text: string): PortArgument {
  const { port, rest } = splitArgument(text, "tcp")
  if (!/^unix:/i.test(rest)) return { kind: "tcp", port, target: parsePlace(rest, "tcp") }
  const socket = parseUpstream(rest)
  if (socket.kind !== "unix" || socket.basePath !== "") throw refusal("tcp")
  return { kind: "tcp", port, target: { kind: "unix", path: socket.path } }
}

/** Raises `CommandError("usage")`. */
export function parseUdpArgument(text: string): PortArgument {
  const { port, rest } = splitArgument(text, "udp")
  return { kind: "udp", port, target: parsePlace(rest, "udp") }
}

/** Gives each its name. Raises `CommandError("usage")` for ports that are there twice, and for too many. */
export function portMappings(ports: readonly PortArgument[]): readonly PortMapping[] {
  if (ports.length > maxPorts)
    throw new CommandError("usage", `--tcp and --udp: a tunnel has ${maxPorts} ports at most.`)
  const chosen = { tcp: 0, udp: 0 }
  const names = new Set<string>()
  return ports.map((port) => {
    const name = port.port === 0 ? autoName(++chosen[port.kind]) : String(port.port)
    if (names.has(`${port.kind} ${name}`))
      throw new CommandError(
        "usage",
        `--${port.kind}: the port ${name} is there twice. Leave one out, or give it another port.`,
      )
    names.add(`${port.kind} ${name}`)
    return { ...port, name }
  })
}

/** As a person writes it. */
export function targetText(target: PortTarget): string {
  if (target.kind === "unix") return `unix:${target.path}`
  return `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`
}

/** As what dials it wants it. */
export function portAddress(target: PortTarget): UpstreamAddress {
  return target.kind === "unix"
    ? { kind: "unix", path: target.path, basePath: "" }
    : { kind: "tcp", host: target.host, port: target.port, tls: false, basePath: "", ca: undefined }
}

/** `tcp://edge.example:20022 -> 127.0.0.1:22`, one for each port that the edge opened. */
export function portLines(
  external: URL,
  mappings: readonly PortMapping[],
  opened: readonly OpenPort[],
): readonly string[] {
  return mappings.flatMap(({ kind, name, target }) => {
    const port = opened.find((one) => one.kind === kind && one.name === name)?.port
    return port === undefined ? [] : [`${kind}://${external.hostname}:${port} -> ${targetText(target)}`]
  })
}

/** All that an agent leads to, as a person writes it. */
export function servedText({ server, ports = [] }: Pick<AgentOptions, "server" | "ports">): string {
  return server === undefined
    ? ports.map(({ target }) => targetText(target)).join(", ")
    : upstreamText(server)
}

function autoName(count: number): string {
  return count === 1 ? "auto" : `auto-${count}`
}

function splitArgument(text: string, kind: PortKind): { port: number; rest: string } {
  const [, wanted = "", rest = ""] = /^(auto|\d{1,5})=(.+)$/i.exec(text) ?? []
  const port = wanted.toLowerCase() === "auto" ? 0 : Number(wanted)
  // 0 is what auto is on the wire; a person who writes it may as well have meant no port.
  if (rest === "" || /^0+$/.test(wanted) || port > 65_535) throw refusal(kind)
  return { port, rest }
}

function parsePlace(text: string, kind: PortKind): PortTarget {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([\da-f:.]{2,45})\]|([\w.-]{1,253})):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535) throw refusal(kind)
  return { kind: "place", host, port }
}

function refusal(kind: PortKind): CommandError {
  const socket = kind === "tcp" ? ", or PORT=unix:/run/app.sock" : ""
  return new CommandError(
    "usage",
    `Write PORT=HOST:PORT, as in 20022=127.0.0.1:22${socket}: first the edge's port, or auto, then where it leads.`,
  )
}
