/** Configurations of the peers, as a careful operator would write them for the same job on one thread. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Backends by the server name that routes to them. */
export type Backends = Readonly<Record<string, string>>;

/** Where the Debian package libnginx-mod-stream puts its module. */
const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/**
 * nginx with one worker, and with blocks of configuration. Logs are off, because ours does not log connections; buffers are the
 * defaults. Returns the file and makes the directories that nginx writes to.
 */
export function writeNginx(directory: string, ...blocks: readonly string[]): string {
  const home = join(directory, 'nginx');
  return write(
    home,
    'nginx.conf',
    `load_module ${NGINX_STREAM_MODULE};
daemon off;
user root;
worker_processes 1;
pid ${home}/pid;
error_log stderr error;
events {
  worker_connections 16384;
  multi_accept on;
}
${blocks.join('')}`,
  );
}

/** nginx as an SNI proxy. */
export function nginxTls(address: string, port: number, backends: Backends): string {
  const entries = Object.entries(backends).map(([name, backend]) => `    ${name} [${backend}]:${port};`);
  return `stream {
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
`;
}

/** nginx as an HTTP proxy that keeps connections to the servers, and tells them the address of the client. */
export function nginxHttp(address: string, port: number, backends: Backends): string {
  const upstreams = Object.values(backends).map(
    (backend, i) => `  upstream server${i} {
    server [${backend}]:${port};
    keepalive 64;
  }
`,
  );
  const servers = Object.keys(backends).map(
    (name, i) => `  server {
    listen ${address}:${port}${i === 0 ? ' backlog=4096' : ''};
    server_name ${name};
    location / {
      proxy_pass http://server${i};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Host $host;
    }
  }
`,
  );
  return `http {
  access_log off;
${[...upstreams, ...servers].join('')}}
`;
}

/** nginx as the web server behind the proxies: one page, with TLS and without. `isKept`: it keeps connections for more requests. */
export function nginxPage(
  listen: readonly { readonly address: string; readonly port: number; readonly isKept: boolean }[],
  certificate: { readonly certFile: string; readonly keyFile: string; readonly port: number },
  body: string,
): string {
  const servers = listen.map(
    ({ address, port, isKept }) => `  server {
    listen [${address}]:${port} backlog=4096${port === certificate.port ? ' ssl' : ''};
    ssl_certificate ${certificate.certFile};
    ssl_certificate_key ${certificate.keyFile};
    keepalive_requests 1000000;
    keepalive_timeout ${isKept ? '75s' : '0'};
    location / {
      return 200 "${body}";
    }
  }
`,
  );
  return `http {
  access_log off;
${servers.join('')}}
`;
}

/** HAProxy with one thread, and with blocks of configuration. Without a log line there is no logging. */
export function writeHaproxy(directory: string, ...blocks: readonly string[]): string {
  return write(
    join(directory, 'haproxy'),
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn 6000
defaults
  maxconn 6000
  timeout connect 10s
  timeout client 1h
  timeout server 1h
${blocks.join('')}`,
  );
}

/** HAProxy as an SNI proxy; HAProxy itself decides about splicing. */
export function haproxyTls(address: string, port: number, backends: Backends): string {
  const names = Object.keys(backends);
  const rules = names.map((name, i) => `  use_backend tls${i} if { req.ssl_sni -i ${name} }`);
  const servers = names.map(
    (name, i) => `backend tls${i}
  mode tcp
  option splice-auto
  server s [${backends[name]}]:${port}
`,
  );
  return `frontend tls
  mode tcp
  option splice-auto
  bind ${address}:${port} backlog 4096
  tcp-request inspect-delay 10s
  tcp-request content accept if { req.ssl_hello_type 1 }
${rules.join('\n')}
${servers.join('')}`;
}

/** HAProxy as an HTTP proxy. It keeps connections to the servers by default. */
export function haproxyHttp(address: string, port: number, backends: Backends): string {
  const names = Object.keys(backends);
  const rules = names.map((name, i) => `  use_backend http${i} if { req.hdr(host) -i ${name} }`);
  const servers = names.map(
    (name, i) => `backend http${i}
  mode http
  server s [${backends[name]}]:${port}
`,
  );
  return `frontend http
  mode http
  bind ${address}:${port} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
${rules.join('\n')}
${servers.join('')}`;
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
