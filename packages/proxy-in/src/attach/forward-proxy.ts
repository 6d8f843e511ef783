// Which forward proxy the way to the edge goes through: the one of --proxy, else the one that the environment names for
// the edge's scheme and that NO_PROXY does not except.
import { CommandError, Secret } from "@restante/protocol"
import { isExcepted } from "./no-proxy.ts"
import { edgePlace } from "./place.ts"

export interface ForwardProxy {
  /** Name or address, without brackets. */
  readonly host: string
  readonly port: number
  /** The connection to the proxy itself is TLS. */
  readonly tls: boolean
  /** "user:password", decoded; undefined: the proxy wants none. */
  readonly credentials: Secret | undefined
  /** PEM certificates to trust for a proxy with TLS; undefined: the system's. */
  readonly ca: string | undefined
  /** Who named it: "--proxy" or a variable's name. */
  readonly namedBy: string
}

/** Variables count in lower case first, as with curl; an empty one counts as none. Raises `CommandError("usage")`, which never repeats the URL. */
export function environmentProxy(
  external: URL,
  environment: Readonly<Record<string, string | undefined>>,
): ForwardProxy | undefined {
  const find = (names: readonly string[]): string | undefined =>
    names.flatMap((name) => [name, name.toUpperCase()]).find((name) => (environment[name] ?? "") !== "")
  const named = find([external.protocol === "https:" ? "https_proxy" : "http_proxy", "all_proxy"])
  if (named === undefined) return undefined
  const exceptions = find(["no_proxy"])
  const { host, port } = edgePlace(external)
  if (exceptions !== undefined && isExcepted(environment[exceptions] ?? "", host, port)) return undefined
  try {
    return parseForwardProxy(environment[named] ?? "", named)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandError(error.code, `${named}: ${error.message} Or give --proxy none to go without.`, {
      cause: error,
    })
  }
}

/** `http://`, `https://` or no scheme (http), credentials percent-encoded. Raises `CommandError("usage")`. */
export function parseForwardProxy(text: string, namedBy: string): ForwardProxy {
  const scheme = /^([a-z][\w+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    const socks = scheme.startsWith("socks")
    throw new CommandError(
      "usage",
      `${socks ? "SOCKS proxies are" : "Proxies of this kind are"} not supported: give an http:// or https:// one.`,
    )
  }
  const full = scheme === undefined ? `http://${text}` : text
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (
    url === undefined ||
    url.hostname === "" ||
    (url.pathname !== "/" && url.pathname !== "") ||
    /[?#]/.test(text)
  )
    throw malformed()
  const tls = url.protocol === "https:"
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    tls,
    credentials: credentialsOf(url),
    ca: undefined,
    namedBy,
  }
}

/** The proxy as a person writes it, without credentials. */
export function proxyText({ host, port, tls }: ForwardProxy): string {
  return `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`
}

function credentialsOf({ username, password }: URL): Secret | undefined {
  if (username === "" && password === "") return undefined
  try {
    const user = decodeURIComponent(username)
    const text = `${user}:${decodeURIComponent(password)}`
    // RFC 7617 section 2: a user's name with a colon could not be told from its end.
    if (!user.includes(":") && !/\p{Cc}/u.test(text)) return new Secret(text)
  } catch {
    // Not percent-encoded: told below.
  }
  throw new CommandError(
    "usage",
    "The user or password in the proxy's URL is not percent-encoded correctly, e.g. %40 for @.",
  )
}

function malformed(): CommandError {
  return new CommandError(
    "usage",
    "This is not the URL of a proxy. Write http://HOST:PORT or https://HOST:PORT, nothing after it.",
  )
}
