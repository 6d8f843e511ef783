// What the situations of `proxy-in doctor` are made of: fronts, proxies and listeners between it, an edge and a private server.
import { spawn } from "node:child_process"
import { once } from "node:events"
import net, { type AddressInfo, type LookupFunction } from "node:net"
import { Secret } from "@restante/protocol"
import { parseUpstream } from "../../packages/proxy-in/src/addresses.ts"
import { parseForwardProxy } from "../../packages/proxy-in/src/attach/forward-proxy.ts"
import type { DoctorOptions } from "../../packages/proxy-in/src/doctor/doctor.ts"
import { authority } from "./certificates.ts"
import { forwardProxy, type ForwardProxyOptions } from "./forward-proxy.ts"
import { httpFront, type HttpFrontOptions } from "./http-front.ts"
import { tlsFront, type TlsFrontOptions } from "./tls-front.ts"
import type { HttpUpstream } from "./upstream.ts"

export const token = new Secret("a-token-that-only-these-tests-use-0123456789")

export interface World {
  readonly edgePort: number
  readonly upstream: HttpUpstream
}

export interface Place extends World {
  readonly stack: AsyncDisposableStack
}

export type Situation = (place: Place) => Promise<Partial<DoctorOptions>>

export const fine: Situation = () => Promise.resolve({})

export function at(url: string, more: Partial<DoctorOptions> = {}): Partial<DoctorOptions> {
  return { external: new URL(url), ...more }
}

/** Between the doctor and the edge. */
export function behind(
  options: Omit<HttpFrontOptions, "port">,
  more: Partial<DoctorOptions> = {},
): Situation {
  return async ({ stack, edgePort }) =>
    at(stack.use(await httpFront({ port: edgePort, ...options })).url, more)
}

/** Something of its own at one endpoint, the edge at all others. */
export function answering(endpoint: string, status: number, problem: string, version = "1"): Situation {
  return behind({
    instead: ({ url }, outgoing) => {
      if (url?.endsWith(endpoint) !== true) return false
      outgoing.writeHead(status, version === "" ? {} : { "Restante-Version": version })
      outgoing.end(JSON.stringify({ code: problem }))
      return true
    },
  })
}

export function tls(options: Omit<TlsFrontOptions, "port">, more: Partial<DoctorOptions> = {}): Situation {
  return async ({ stack, edgePort }) => {
    const { port } = stack.use(await tlsFront({ port: edgePort, ...options }))
    return at(`https://localhost:${port}`, { externalCa: authority, ...more })
  }
}

/** An https edge, which is never reached. */
export function proxied(options: ForwardProxyOptions, external = "https://edge.example"): Situation {
  return async ({ stack }) => {
    const { url } = stack.use(await forwardProxy(options))
    return at(external, { proxy: parseForwardProxy(url, "--proxy") })
  }
}

export function proxyAt(url: string): Situation {
  return () => Promise.resolve({ proxy: parseForwardProxy(url, "--proxy") })
}

export const throughProxy: Situation = async ({ stack }) => {
  const { url } = stack.use(await forwardProxy())
  return { proxy: parseForwardProxy(url, "HTTP_PROXY") }
}

/** Accepts connections and says nothing, or this. */
export async function listener(
  stack: AsyncDisposableStack,
  onSocket: (socket: net.Socket) => void,
): Promise<number> {
  const sockets = new Set<net.Socket>()
  const quiet = net.createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    onSocket(socket)
  })
  quiet.listen(0, "127.0.0.1")
  await once(quiet, "listening")
  stack.defer(async () => {
    const closed = once(quiet, "close")
    quiet.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return (quiet.address() as AddressInfo).port
}

/** A port whose program stands still and whose queue of connections is full: nothing more is taken, and nobody is told. */
export async function stuckPort(stack: AsyncDisposableStack): Promise<number> {
  const script =
    'require("net").createServer().listen(0,"127.0.0.1",1,function(){console.log(this.address().port)})'
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] })
  stack.defer(() => void child.kill("SIGKILL"))
  const [said] = (await once(child.stdout, "data")) as [Buffer]
  child.kill("SIGSTOP")
  const port = Number(said.toString())
  for (let filling = 0; filling < 8; filling++) {
    const socket = net.connect(port, "127.0.0.1")
    socket.on("error", () => undefined)
    stack.defer(() => void socket.destroy())
  }
  return port
}

export function server(url: string): Promise<Partial<DoctorOptions>> {
  return Promise.resolve({ server: parseUpstream(url) })
}

export function resolvingTo(...addresses: readonly string[]): LookupFunction {
  return (_name, _options, answer) =>
    answer(
      null,
      addresses.map((address) => ({ address, family: net.isIP(address) })),
    )
}

export const nowhere = "255.255.255.255"

export function realClock(): DoctorOptions["clock"] {
  return { now: () => Date.now(), random: Math.random }
}
