// Every option of proxy-out, a line each: a value that is right and one that is not. A new option without a line does not compile.
import { expect } from "vitest"
import type { EdgeTable } from "../../packages/proxy-out/src/cli-options.ts"
import { atStart, type OptionCase } from "./option-case.ts"

const text = (good: string): Pick<OptionCase, "good" | "reads"> => ({ good, reads: good })

export const edgeCases: Readonly<Record<keyof EdgeTable, OptionCase>> = {
  port: { good: "8080", reads: 8080, bad: "65536", says: /whole number from 0 to 65535/ },
  host: { ...text("127.0.0.1"), bad: "http://x", says: /not an address to listen on/ },
  domain: { ...text("tunnels.example"), bad: "a.example:80", says: /not a domain/ },
  "tls-cert": {
    good: "/server.pem",
    reads: ["/server.pem"],
    bad: "/no/such.pem",
    says: /--tls-cert: .*no such file/,
    atStart,
    with: { "tls-key": "/no/such.key" },
  },
  "tls-key": {
    good: "/server.key",
    reads: ["/server.key"],
    bad: "/server.key",
    says: /--tls-key: every certificate needs its key/,
    atStart,
  },
  "redirect-port": { good: "80", reads: 80, bad: "http", says: /whole number from 0 to 65535/ },
  h2c: { good: "true", reads: true, bad: "maybe", says: /neither true nor false|takes no value/ },
  hold: { good: "2m", reads: 120_000, bad: "30", says: /It needs a unit: 30s for seconds/ },
  timeout: { good: "90s", reads: 90_000, bad: "soon", says: /not a duration/ },
  "max-queue": { good: "5000", reads: 5000, bad: "0", says: /whole number from 1 to 1000000/ },
  "trusted-proxies": {
    good: "10.0.0.0/8",
    reads: [expect.objectContaining({ address: "10.0.0.0", prefixBits: 8 })],
    bad: "proxy.internal",
    says: /no range of addresses/,
  },
  "tcp-ports": {
    good: "20000-20999",
    reads: [{ first: 20_000, last: 20_999 }],
    bad: "20000 to 20999",
    says: /no range of ports/,
  },
  "max-connections": { good: "9", reads: 9, bad: "0", says: /whole number from 1 to 65535/ },
  "keep-ports": { good: "1m", reads: 60_000, bad: "60", says: /It needs a unit/ },
  "max-body-size": { good: "64KiB", reads: 65_536, bad: "10 apples", says: /not a size/ },
  "head-timeout": { good: "5s", reads: 5000, bad: "5sec", says: /Units are ms, s, m, h and d/ },
  "body-timeout": { good: "2m", reads: 120_000, bad: "2", says: /It needs a unit/ },
  "idle-timeout": { good: "1s", reads: 1000, bad: "never", says: /not a duration/ },
  "error-page": {
    ...text("/page.html"),
    bad: "/no/such.html",
    says: /--error-page: .*no such file/,
    atStart,
  },
  redis: {
    ...text("redis://10.0.0.5:6379/3"),
    bad: "http://localhost",
    says: /not the URL of a Redis/,
  },
  dispatch: { ...text("direct"), bad: "direkt", says: /Did you mean direct\?/ },
  "token-file": { ...text("/token"), bad: "/no/such", says: /--token-file: .*no such file/, atStart },
  "tokens-file": {
    ...text("/tokens.json"),
    bad: "/dev/null",
    says: /file of tokens .* cannot be used/,
    atStart,
    with: { "default-token": "off" },
  },
  "default-token": { ...text("off"), bad: "no", says: /not one of on, off/ },
  "data-dir": {
    ...text("/var/lib/restante"),
    bad: "/dev/null",
    says: /a part of the path is not a directory/,
    atStart,
    with: { "default-token": "off" },
  },
  "admin-token-file": {
    ...text("/token"),
    bad: "/no/such",
    says: /--admin-token-file: .*no such file/,
    atStart,
  },
  "admin-token": {
    good: "an-admin-token",
    reads: expect.objectContaining({ reveal: expect.any(Function) }),
    bad: "with spaces",
    says: /does not hold a token/,
  },
  "admin-port": { good: "9090", reads: 9090, bad: "http", says: /whole number from 0 to 65535/ },
  "admin-host": { ...text("::1"), bad: "http://x", says: /not an address to listen on/ },
  "access-log": { ...text("json"), bad: "common", says: /not one of off, combined, json/ },
  "access-log-file": {
    ...text("/var/log/access.log"),
    bad: "/dev/null/access.log",
    says: /--access-log-file: cannot open that file/,
    atStart,
    with: { "access-log": "json" },
  },
  "access-log-query": { ...text("drop"), bad: "hide", says: /not one of keep, drop/ },
  config: { ...text("/dev/null"), bad: "/no/such.yaml", says: /Cannot read the configuration/, atStart },
  "log-level": { ...text("debug"), bad: "verbose", says: /not one of fatal, error, warn/ },
  "log-format": { ...text("json"), bad: "logfmt", says: /not one of auto, pretty, json/ },
}
