// Everything that `proxy-out doctor` may find, with what to do about it. docs/doctor.md shows this table, and a test has a real
// situation for every line of it.
import type { FindingTable } from "@restante/protocol"

export const edgeFindings = {
  port_free: { step: "port", verdict: "ok", says: "the port is free" },
  port_ours: { step: "port", verdict: "ok", says: "a running proxy-out has the port" },
  port_taken: {
    step: "port",
    verdict: "failed",
    says: "another program has the port",
    remedy: "Stop it, or choose another port with --port.",
  },
  port_denied: {
    step: "port",
    verdict: "failed",
    says: "this user may not open the port",
    remedy:
      "Choose one from 1024 on with --port, or give the right CAP_NET_BIND_SERVICE (the systemd unit does).",
  },
  port_address: {
    step: "port",
    verdict: "failed",
    says: "this machine does not have that address",
    remedy: "Check --host, or leave it out to listen on all addresses.",
  },
  redirect_free: { step: "redirect", verdict: "ok", says: "the port that redirects is free" },
  redirect_ours: {
    step: "redirect",
    verdict: "ok",
    says: "a running proxy-out has the port that redirects",
  },
  redirect_taken: {
    step: "redirect",
    verdict: "failed",
    says: "another program has the port that redirects",
    remedy: "Stop it, or choose another port with --redirect-port.",
  },
  redirect_denied: {
    step: "redirect",
    verdict: "failed",
    says: "this user may not open the port that redirects",
    remedy:
      "Choose one from 1024 on with --redirect-port, or give the right CAP_NET_BIND_SERVICE (the systemd unit does).",
  },
  redirect_address: {
    step: "redirect",
    verdict: "failed",
    says: "this machine does not have that address to redirect from",
    remedy: "Check --host, or leave it out to listen on all addresses.",
  },
  tcp_ports_allowed: {
    step: "tcp-ports",
    verdict: "ok",
    says: "this user may open the TCP ports for agents",
  },
  tcp_ports_denied: {
    step: "tcp-ports",
    verdict: "warning",
    says: "this user may not open all of the TCP ports for agents",
    remedy:
      "Agents that ask for these are refused: give only ports from 1024 on with --tcp-ports, or the right CAP_NET_BIND_SERVICE (the systemd unit does).",
  },
  tcp_ports_address: {
    step: "tcp-ports",
    verdict: "failed",
    says: "this machine does not have that address for TCP",
    remedy: "Check --host, or leave it out to listen on all addresses.",
  },
  udp_ports_allowed: {
    step: "udp-ports",
    verdict: "ok",
    says: "this user may open the UDP ports for agents",
  },
  udp_ports_denied: {
    step: "udp-ports",
    verdict: "warning",
    says: "this user may not open all of the UDP ports for agents",
    remedy:
      "Agents that ask for these are refused: give only ports from 1024 on with --udp-ports, or the right CAP_NET_BIND_SERVICE (the systemd unit does).",
  },
  udp_ports_address: {
    step: "udp-ports",
    verdict: "failed",
    says: "this machine does not have that address for UDP",
    remedy: "Check --host, or leave it out to listen on all addresses.",
  },
  tls_none: { step: "tls", verdict: "skipped", says: "the port speaks no TLS: there is no --tls-cert" },
  tls_ready: { step: "tls", verdict: "ok", says: "certificates and keys can be used" },
  tls_ending: {
    step: "tls",
    verdict: "warning",
    says: "a certificate has expired, or will within a week",
    remedy: "Renew it: a running proxy-out reads its files again by itself.",
  },
  tls_unusable: {
    step: "tls",
    verdict: "failed",
    says: "certificates and keys cannot be used",
    remedy: "Put it right: with these options proxy-out does not start.",
  },
  redis_none: { step: "redis", verdict: "skipped", says: "the queue is in memory" },
  redis_answers: { step: "redis", verdict: "ok", says: "Redis answers" },
  redis_aging: {
    step: "redis",
    verdict: "warning",
    says: "this Redis is older than 6.2",
    remedy: "It works; newer ones are what BullMQ is tested with.",
  },
  redis_old: {
    step: "redis",
    verdict: "failed",
    says: "this Redis is older than 5.0",
    remedy: "Upgrade it: the queue needs streams.",
  },
  redis_unreachable: {
    step: "redis",
    verdict: "failed",
    says: "Redis cannot be reached",
    remedy:
      "Check host and port in --redis, that Redis runs, and that it listens on more than its own loopback.",
  },
  redis_password: {
    step: "redis",
    verdict: "failed",
    says: "Redis wants another user or password",
    remedy: "Set PROXY_OUT_REDIS=redis://USER:PASSWORD@HOST:PORT, percent-encoded.",
  },
  redis_tls: {
    step: "redis",
    verdict: "failed",
    says: "no trusted TLS connection to Redis",
    remedy:
      "Write redis:// if it has no TLS; else check its certificate (NODE_EXTRA_CA_CERTS for an own authority).",
  },
  policy_keeps: { step: "policy", verdict: "ok", says: "Redis keeps what it is given" },
  policy_unknown: { step: "policy", verdict: "skipped", says: "Redis does not tell its maxmemory-policy" },
  policy_evicts: {
    step: "policy",
    verdict: "warning",
    says: "Redis may throw the queue away when its memory is full",
    remedy: "Set maxmemory-policy noeviction in redis.conf.",
  },
  latency_low: { step: "latency", verdict: "ok", says: "Redis answers quickly" },
  latency_high: {
    step: "latency",
    verdict: "warning",
    says: "Redis answers slowly",
    remedy: "Every request takes a few of these trips: put Redis nearer, or use --dispatch direct.",
  },
  data_ready: { step: "data", verdict: "ok", says: "the data directory can be written" },
  data_new: { step: "data", verdict: "ok", says: "the data directory will be made at the first start" },
  data_unusable: {
    step: "data",
    verdict: "failed",
    says: "the data directory cannot be written",
    remedy: "Give it to this user, or name another with --data-dir.",
  },
  data_full: {
    step: "data",
    verdict: "warning",
    says: "there is little room left for the data directory",
    remedy: "Make room, or name another with --data-dir.",
  },
  token_good: { step: "token", verdict: "ok", says: "the token cannot be guessed" },
  token_new: { step: "token", verdict: "ok", says: "a token will be made at the first start" },
  token_named: { step: "token", verdict: "ok", says: "only named tokens open tunnels" },
  token_weak: {
    step: "token",
    verdict: "warning",
    says: "the token is so short that it can be guessed",
    remedy: "Take a longer one, e.g. of openssl rand -base64 32, or let proxy-out make it.",
  },
  token_open: {
    step: "token",
    verdict: "warning",
    says: "other users of this machine can read the token's file",
    remedy: "Close it: chmod 600.",
  },
  token_unusable: {
    step: "token",
    verdict: "failed",
    says: "the token cannot be used",
    remedy: "Put it right: without it proxy-out does not start.",
  },
  files_enough: { step: "files", verdict: "ok", says: "there may be enough open connections" },
  files_unknown: {
    step: "files",
    verdict: "skipped",
    says: "this system does not tell its limit of open files",
  },
  files_few: {
    step: "files",
    verdict: "warning",
    says: "the limit of open files is lower than what --max-queue may need",
    remedy: "Raise it (ulimit -n, or LimitNOFILE= in the systemd unit), or lower --max-queue.",
  },
} as const satisfies FindingTable

export type EdgeFindingCode = keyof typeof edgeFindings
