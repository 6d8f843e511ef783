// nginx as it is set up for speed: as the private server of small answers, and as the hop that everything is compared with.
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { smallBody } from "./children/small-body.ts"
import { freePort } from "./free-port.ts"
import { Program } from "./program.ts"

export interface Nginx {
  readonly program: Program
  readonly port: number
}

/** `folder` is for its files; it is made. */
export function nginxUpstream(command: string, folder: string): Promise<Nginx> {
  return start("upstream", command, folder, (port) => `
    server {
      listen 127.0.0.1:${port} backlog=2048;
      default_type text/plain;
      location = /small { return 200 "${smallBody.trimEnd()}\\n"; }
    }`)
}

/** One hop to the port. */
export function nginxHop(command: string, folder: string, upstreamPort: number): Promise<Nginx> {
  return start("hop", command, folder, (port) => `
    upstream private { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 1000000000; }
    server {
      listen 127.0.0.1:${port} backlog=2048;
      location / {
        proxy_pass http://private;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_request_buffering off;
        proxy_buffer_size 64k;
        proxy_buffers 16 64k;
        proxy_max_temp_file_size 0;
      }
    }`)
}

async function start(
  role: string,
  command: string,
  folder: string,
  servers: (port: number) => string,
): Promise<Nginx> {
  const port = await freePort()
  await mkdir(folder)
  const file = join(folder, "nginx.conf")
  // One process: a second worker would take the processor that the others need, and its costs are read from one.
  await writeFile(
    file,
    `daemon off;
master_process off;
error_log stderr error;
pid ${join(folder, "nginx.pid")};
events { worker_connections 4096; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path ${join(folder, "body")};
  proxy_temp_path ${join(folder, "proxy")};
  fastcgi_temp_path ${join(folder, "fastcgi")};
  uwsgi_temp_path ${join(folder, "uwsgi")};
  scgi_temp_path ${join(folder, "scgi")};
${servers(port)}
}
`,
  )
  const program = new Program({ role, command, words: ["-p", folder, "-c", file] })
  await program.listening(port)
  return { program, port }
}
