// The servers and tools that the tests need beside npm packages. Nothing is skipped when one is missing: it is installed where that is
// allowed, else this says how to get it and fails. `npm test` runs it first of all, before minutes go into anything else.
import { provide } from "./provide.mjs"

export const paths = provide({
  redis: {
    programs: ["redis-server", "valkey-server"],
    variable: "RESTANTE_REDIS_SERVER",
    packages: { debian: "redis-server", fedora: "valkey", homebrew: "redis" },
  },
  // Two edges behind one port.
  haproxy: {
    programs: ["haproxy"],
    packages: { debian: "haproxy", fedora: "haproxy", homebrew: "haproxy" },
  },
  // A private server that reads what we forward.
  nginx: {
    programs: ["nginx", "/usr/sbin/nginx"],
    packages: { debian: "nginx", fedora: "nginx", homebrew: "nginx" },
  },
  // Reads the units.
  systemd: {
    programs: ["systemd-analyze"],
    packages: { debian: "systemd", fedora: "systemd", homebrew: "(systemd is Linux only)" },
  },
  // Clients and servers for TCP ports.
  ssh: {
    programs: ["ssh"],
    packages: { debian: "openssh-client", fedora: "openssh-clients", homebrew: "openssh" },
  },
  sshd: {
    programs: ["sshd", "/usr/sbin/sshd"],
    packages: { debian: "openssh-server", fedora: "openssh-server", homebrew: "openssh" },
  },
  redisClient: {
    programs: ["redis-cli"],
    packages: { debian: "redis-tools", fedora: "valkey", homebrew: "redis" },
  },
  postgres: {
    programs: ["psql"],
    packages: { debian: "postgresql", fedora: "postgresql-server", homebrew: "postgresql" },
  },
  git: { programs: ["git"], packages: { debian: "git", fedora: "git", homebrew: "git" } },
  curl: { programs: ["curl"], packages: { debian: "curl", fedora: "curl", homebrew: "curl" } },
  chromium: {
    programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    variable: "RESTANTE_CHROMIUM",
    packages: { debian: "chromium", fedora: "chromium", homebrew: "chromium" },
  },
  // Programs are watched on a terminal that it makes.
  script: {
    programs: ["script"],
    packages: { debian: "bsdutils", fedora: "util-linux-script", homebrew: "util-linux" },
  },
})
