// nginx, set up for speed: as the private server of small answers, and as the hop that everything is compared with.
import { mkdir, writeFile } from "node:fs/promises"
import { freePort } from "../test/support/redis.ts"
import { smallBody } from "./children/small-body.ts"
import { Program } from "./program.ts"

/** One that runs; the owner of its program stops it. */
export interface Nginx {
  readonly program: Program
  readonly port: number
}

/** `folder` is made, for its files. */
export function nginxUpstream(command: string, folder: string, owner: AsyncDisposableStack): Promise<Nginx> {
  return start(
    { role: "upstream", command, folder, owner },
    (port) => `
  server {
    listen 127.0.0.1:${port} backlog=2048;
    default_type text/plain;
    location = /small { return 200 "${smallBody.trimEnd()}\\n"; }
  }`,
  )
}

/** Buffers as nginx comes, and as large as a transfer likes them. */
const nginxBuffers = {
  usual: "",
  large: "proxy_buffers 16 64k; proxy_busy_buffers_size 512k; client_body_buffer_size 256k;",
} as const

export interface HopOptions {
  readonly buffers: keyof typeof nginxBuffers
  readonly upstreamPort: number
}

/** One hop that passes bodies on as they come, as ours do. `folder` is made, for its files. */
export function nginxHop(
  command: string,
  folder: string,
  { buffers, upstreamPort }: HopOptions,
  owner: AsyncDisposableStack,
): Promise<Nginx> {
  return start(
    { role: "hop", command, folder, owner },
    (port) => `
  upstream private { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location / {
      proxy_pass http://private;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      ${nginxBuffers[buffers]}
    }
  }`,
  )
}

interface NginxOptions {
  readonly role: string
  readonly command: string
  readonly folder: string
  readonly owner: AsyncDisposableStack
}

async function start(
  { role, command, folder, owner }: NginxOptions,
  servers: (port: number) => string,
): Promise<Nginx> {
  const port = await freePort()
  await mkdir(folder)
  await writeFile(`${folder}/nginx.conf`, configuration(servers(port)))
  const program = owner.use(
    new Program({ role, command, words: ["-p", folder, "-c", "nginx.conf", "-e", "stderr"] }),
  )
  await program.listening(port)
  return { program, port }
}

/** One process, as each of ours is: a second worker takes the processor that the others need. Paths are inside its folder. */
function configuration(servers: string): string {
  return `daemon off;
master_process off;
error_log stderr error;
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
${servers}
}
`
}
