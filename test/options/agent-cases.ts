// Every option of proxy-in, a line each: a value that is right and one that is not. A new option without a line does not compile.
import { expect } from "vitest"
import type { AgentTable } from "../../packages/proxy-in/src/cli-options.ts"
import { atStart, onOrOff, type OptionCase } from "./option-case.ts"

const text = (good: string): Pick<OptionCase, "good" | "reads"> => ({ good, reads: good })

export const agentCases: Readonly<Record<keyof AgentTable, OptionCase>> = {
  server: {
    good: "https://app.internal:8443/base",
    reads: expect.objectContaining({ host: "app.internal", port: 8443, tls: true, basePath: "/base" }),
    bad: "localhost:3000",
    says: /Begin with http:\/\/ or https:\/\//,
  },
  external: {
    good: "https://edge.example",
    reads: new URL("https://edge.example"),
    bad: "edge.example",
    says: /Begin with http:\/\/ or https:\/\//,
  },
  tunnel: { ...text("shop"), bad: "Shop", says: /not a tunnel's name/ },
  route: { good: "a.example/api", reads: ["a.example/api"], bad: "https://a.example", says: /not a route/ },
  "strip-prefix": { ...onOrOff, with: { route: "/api" } },
  tcp: {
    good: "20022=127.0.0.1:22",
    reads: [{ kind: "tcp", port: 20_022, target: { kind: "place", host: "127.0.0.1", port: 22 } }],
    bad: "127.0.0.1:22",
    says: /Write PORT=HOST:PORT, as in 20022=127.0.0.1:22/,
  },
  udp: {
    good: "auto=[::1]:53",
    reads: [{ kind: "udp", port: 0, target: { kind: "place", host: "::1", port: 53 } }],
    bad: "127.0.0.1:53",
    says: /Write PORT=HOST:PORT, as in 20022=127.0.0.1:22/,
  },
  "proxy-protocol": { ...text("v2"), bad: "v1", says: /not one of off, v2/ },
  "max-connections": { good: "9", reads: 9, bad: "0", says: /whole number from 1 to 65535/ },
  "token-file": { ...text("/token"), bad: "/no/such", says: /--token-file: .*no such file/, atStart },
  "ca-file": { ...text("/ca.pem"), bad: "/no/ca.pem", says: /--ca-file: .*no such file/, atStart },
  "external-ca-file": {
    ...text("/ca.pem"),
    bad: "/no/ca.pem",
    says: /--external-ca-file: .*no such file/,
    atStart,
  },
  "external-cert-file": {
    ...text("/us.pem"),
    bad: "/no/us.pem",
    says: /--external-cert-file: .*no such file/,
    atStart,
    with: { "external-key-file": import.meta.filename },
  },
  "external-key-file": {
    ...text("/us.key"),
    bad: "/no/us.key",
    says: /--external-key-file: .*no such file/,
    atStart,
    with: { "external-cert-file": import.meta.filename },
  },
  proxy: {
    good: "http://proxy.internal:3128",
    reads: expect.objectContaining({ host: "proxy.internal", port: 3128, tls: false }),
    bad: "socks5://proxy.internal",
    says: /SOCKS proxies are not supported/,
  },
  "proxy-ca-file": {
    ...text("/ca.pem"),
    bad: "/no/ca.pem",
    says: /--proxy-ca-file: .*no such file/,
    atStart,
    with: { proxy: "https://proxy.internal" },
  },
  transport: { ...text("poll"), bad: "websockets", says: /Did you mean websocket\?/ },
  concurrency: { good: "16", reads: 16, bad: "0", says: /whole number from 1 to 65535/ },
  "max-upgrades": { good: "0", reads: 0, bad: "65536", says: /whole number from 0 to 65535/ },
  "host-header": {
    good: "app.internal",
    reads: { kind: "value", value: "app.internal" },
    bad: "http://app.internal",
    says: /Write preserve, upstream, or a host/,
  },
  port: { ...text("off"), bad: "of", says: /whole number from 0 to 65535/ },
  config: { ...text("/dev/null"), bad: "/no/such.yaml", says: /Cannot read the configuration/, atStart },
  "log-level": { ...text("trace"), bad: "loud", says: /not one of fatal, error, warn/ },
  "log-requests": onOrOff,
  "log-format": { ...text("pretty"), bad: "xml", says: /not one of auto, pretty, json/ },
}
