/** Configurations of the peers, as a careful operator would write them for the same job on one thread. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Backends by the server name that routes to them. */
export type Backends = Readonly<Record<string, string>>;

/** Where the Debian package libnginx-mod-stream puts its module. */
const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/**
 * nginx as an SNI proxy. Logs are off, because ours does not log connections; buffers are the defaults. Returns the file and
 * makes the directories that nginx writes to.
 */
export function writeNginx(directory: string, address: string, port: number, backends: Backends): string {
  const entries = Object.entries(backends).map(([name, backend]) => `    ${name} [${backend}]:${port};`);
  return write(
    join(directory, 'nginx'),
    'nginx.conf',
    `load_module ${NGINX_STREAM_MODULE};
daemon off;
user root;
worker_processes 1;
pid ${directory}/nginx/pid;
error_log stderr error;
events {
  worker_connections 16384;
  multi_accept on;
}
stream {
  access_log off;
  map $ssl_preread_server_name $backend {
${entries.join('\n')}
  }
  server {
    listen ${address}:${port} backlog=4096;
    ssl_preread on;
    tcp_nodelay on;
    proxy_pass $backend;
    proxy_connect_timeout 10s;
    proxy_timeout 1h;
  }
}
`,
  );
}

/** HAProxy as an SNI proxy. Without a log line there is no logging; HAProxy itself decides about splicing. */
export function writeHaproxy(directory: string, address: string, port: number, backends: Backends): string {
  const names = Object.keys(backends);
  const rules = names.map((name, i) => `  use_backend server${i} if { req.ssl_sni -i ${name} }`);
  const servers = names.map((name, i) => `backend server${i}\n  server s [${backends[name]}]:${port}`);
  return write(
    join(directory, 'haproxy'),
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn 6000
defaults
  mode tcp
  maxconn 6000
  option splice-auto
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend tls
  bind ${address}:${port} backlog 4096
  tcp-request inspect-delay 10s
  tcp-request content accept if { req.ssl_hello_type 1 }
${rules.join('\n')}
${servers.join('\n')}
`,
  );
}

/** Unbound as a caching forwarder: no validation, because ours has none; minimal responses and EDNS are its defaults. */
export function writeUnbound(
  directory: string,
  options: {
    readonly address: string;
    readonly port: number;
    readonly upstream: string;
    readonly upstreamPort: number;
    readonly dns64Prefix: string;
  },
): string {
  const home = join(directory, 'unbound');
  return write(
    home,
    'unbound.conf',
    `server:
  num-threads: 1
  interface: ${options.address}
  port: ${options.port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${home}"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  do-not-query-localhost: no
  module-config: "dns64 iterator"
  dns64-prefix: ${options.dns64Prefix}
forward-zone:
  name: "."
  forward-addr: ${options.upstream}@${options.upstreamPort}
remote-control:
  control-enable: no
`,
  );
}

/** Tayga, which is stateless: each IPv6 host gets its own IPv4 address from the pool. It has no offload. */
export function writeTayga(
  directory: string,
  options: {
    readonly device: string;
    readonly prefix: string;
    readonly ownAddress: string;
    readonly pool: string;
  },
): string {
  const home = join(directory, 'tayga');
  return write(
    home,
    'tayga.conf',
    `tun-device ${options.device}
ipv4-addr ${options.ownAddress}
prefix ${options.prefix}
dynamic-pool ${options.pool}
data-dir ${home}
`,
  );
}

function write(directory: string, name: string, text: string): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}
