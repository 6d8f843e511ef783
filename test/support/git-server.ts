// A private git server: git's own http-backend behind a small CGI bridge.
import { spawn } from "node:child_process"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type HttpUpstream, httpUpstream } from "./upstream.ts"

/** Serves the repositories in `root`, for reading and for pushing. */
export function gitServer(root: string): Promise<HttpUpstream> {
  return httpUpstream((incoming, response) => bridge(root, incoming, response))
}

/** RFC 3875, as far as git http-backend needs it. */
function bridge(root: string, incoming: IncomingMessage, response: ServerResponse): void {
  const [path = "/", query = ""] = (incoming.url ?? "/").split("?")
  const { headers } = incoming
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      HOME: root,
      REQUEST_METHOD: incoming.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: headers["content-type"] ?? "",
      ...(headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: headers["content-length"] }),
      ...(headers["content-encoding"] === undefined
        ? {}
        : { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
      // Pushing is for users that the web server let in.
      REMOTE_USER: "tester",
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  })
  backend.stdin.on("error", () => undefined)
  incoming.pipe(backend.stdin)
  response.on("close", () => backend.kill())
  let head = Buffer.alloc(0)
  const onHead = (bytes: Buffer): void => {
    head = Buffer.concat([head, bytes])
    const end = head.indexOf("\r\n\r\n")
    if (end < 0) return
    backend.stdout.off("data", onHead)
    for (const line of head.toString("latin1", 0, end).split("\r\n")) {
      const colon = line.indexOf(":")
      const name = line.slice(0, colon)
      const value = line.slice(colon + 1).trim()
      if (name.toLowerCase() === "status") response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.write(head.subarray(end + 4))
    backend.stdout.pipe(response)
  }
  backend.stdout.on("data", onHead)
}
