// Reads the two addresses of an agent: the private server's (`--server`) and the edge's (`--external`).
// A refusal never shows the text, which may hold a password.
import { CommandError } from "@restante/protocol"
import type { HostHeader, UpstreamAddress } from "./agent-options.ts"

/**
 * `http://HOST[:PORT][/base]`, `https://…`, the same with `h2c://` or `h2://` for HTTP/2, or `unix:/path/of.sock[:/base]`. The base path is kept byte for byte, without slashes at its
 * end. Raises `CommandError("usage")`.
 */
export function parseUpstream(text: string): UpstreamAddress {
  if (/^unix:/i.test(text)) return parseUnixUpstream(text)
  // h2c:// and h2:// are http:// and https:// to a server that is spoken to in HTTP/2.
  const http2 = /^h2c?:\/\//i.test(text)
  const url = http2 ? text.replace(/^h2c/i, "http").replace(/^h2:/i, "https:") : text
  const parts = parseHttpUrl(url, upstreamForms)
  return {
    kind: "tcp",
    host: parts.host.replace(/^\[(.*)\]$/, "$1"),
    port: parts.port,
    tls: parts.tls,
    ...(http2 ? { http2 } : {}),
    basePath: withoutEndSlashes(parts.path),
    ca: undefined,
  }
}

/** An edge's URL. A path is kept: some edges stand behind a path of another server. Raises `CommandError("usage")`. */
export function parseExternal(text: string): URL {
  parseHttpUrl(text, {
    beginnings: "http:// or https://",
    examples: "https://edge.example or http://203.0.113.7:8080",
  })
  return new URL(text)
}

/** The upstream as a person writes it. */
export function upstreamText(address: UpstreamAddress): string {
  if (address.kind === "unix")
    return `unix:${address.path}${address.basePath === "" ? "" : `:${address.basePath}`}`
  const host = address.host.includes(":") ? `[${address.host}]` : address.host
  const port = address.port === defaultPort(address.tls) ? "" : `:${address.port}`
  const scheme = address.http2 === true ? (address.tls ? "h2" : "h2c") : address.tls ? "https" : "http"
  return `${scheme}://${host}${port}${address.basePath}`
}

/** The edge as a person writes it. */
export function externalText(external: URL): string {
  return withoutEndSlashes(external.href)
}

/** `preserve`, `upstream`, or the Host to send (RFC 9110 section 7.2). Raises `CommandError("usage")`. */
export function parseHostHeader(text: string): HostHeader {
  if (text === "preserve" || text === "upstream") return { kind: text }
  // One word without dot, port or digit is rather a mistyped keyword than a host.
  if (/^[a-z]+$/i.test(text) && text.toLowerCase() !== "localhost") {
    throw new CommandError(
      "usage",
      `Write preserve, upstream, or a host name with a dot or a port, as in ${text}:80.`,
    )
  }
  if (hostPattern.test(text)) return { kind: "value", value: text }
  throw new CommandError(
    "usage",
    "Write preserve, upstream, or a host as in app.internal or app.internal:8080.",
  )
}

const host = String.raw`(?:\[[\da-f:.]+\]|[\w.~-]{1,253})`
const hostPattern = new RegExp(String.raw`^${host}(?::\d{1,5})?$`, "i")
const urlPattern = new RegExp(
  String.raw`^(?<scheme>https?)://(?<host>${host})(?::(?<port>\d{1,5}))?(?<path>/[!-~]*)?$`,
  "i",
)

interface HttpUrl {
  readonly tls: boolean
  readonly host: string
  readonly port: number
  readonly path: string
}

/** What a person is told of a text that is none. */
interface UrlForms {
  readonly beginnings: string
  readonly examples: string
}

const upstreamForms: UrlForms = {
  beginnings: "http:// or https:// (in HTTP/2: h2c:// or h2://), or unix:",
  examples: "http://127.0.0.1:3000, https://app.internal, h2c://127.0.0.1:50051 or unix:/run/app.sock",
}

function parseHttpUrl(text: string, { beginnings, examples }: UrlForms): HttpUrl {
  if (!/^https?:\/\//i.test(text))
    throw new CommandError("usage", `Begin with ${beginnings}, as in ${examples}.`)
  if (/^[^/]*\/\/[^/?#]*@/.test(text)) {
    throw new CommandError(
      "usage",
      "A user name or password in the URL is not supported. Leave out everything up to the @.",
    )
  }
  if (/[?#]/.test(text))
    throw new CommandError("usage", "Leave out the ? or # and what follows: only host, port and path count.")
  const groups = urlPattern.exec(text)?.groups
  if (groups?.["scheme"] === undefined || groups["host"] === undefined || !URL.canParse(text)) {
    throw new CommandError("usage", `This is not a URL with a valid host. Write one as in ${examples}.`)
  }
  const tls = groups["scheme"].toLowerCase() === "https"
  const port = groups["port"] === undefined ? defaultPort(tls) : Number(groups["port"])
  if (port < 1 || port > 65_535)
    throw new CommandError("usage", "The port in the URL must be from 1 to 65535.")
  return { tls, host: groups["host"], port, path: groups["path"] ?? "" }
}

/** Longest path that a socket address holds on Linux, in bytes, without the final NUL; macOS takes 103. */
const maxSocketPathBytes = 107

function parseUnixUpstream(text: string): UpstreamAddress {
  const [, path, basePath] = /^unix:(\/[^:]+)(?::(\/[!-~]*))?$/i.exec(text) ?? []
  if (path === undefined || /[?#]/.test(basePath ?? "")) {
    throw new CommandError(
      "usage",
      "Write the socket's whole path, as in unix:/run/app.sock, or unix:/run/app.sock:/base.",
    )
  }
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new CommandError(
      "usage",
      `The socket's path is too long: at most ${maxSocketPathBytes} bytes. Link to it from a shorter one.`,
    )
  }
  return { kind: "unix", path, basePath: withoutEndSlashes(basePath ?? "") }
}

function defaultPort(tls: boolean): number {
  return tls ? 443 : 80
}

function withoutEndSlashes(path: string): string {
  return path.replace(/\/+$/, "")
}
