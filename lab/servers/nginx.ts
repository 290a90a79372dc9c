/** nginx, in the foreground, with a virtual host for each name, which answers with the server's and the client's identity. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from '../certificates.ts';
import type { Child, Host } from '../host.ts';

export interface NginxOptions {
  readonly address: string;
  readonly hostnames: readonly string[];
  readonly certificate?: CertificateFiles;
  /** Expects a PROXY header (version 1 or 2) on every connection, and reports the client's address from it. */
  readonly proxyProtocol?: boolean;
  /** Writes `access.log` in its directory, in the format "combined". */
  readonly accessLog?: boolean;
  readonly directory: string;
}

/** Size of /large, which consists of zeros: large enough for a proxy to switch the connection to splice. */
export const LARGE_FILE_BYTES = 16 << 20;

/**
 * Port 80, and 443 with a certificate. GET / returns lines of "field: value": the server's name, the Host, and the client's
 * address as given by the connection, the PROXY header and X-Forwarded-For.
 */
export async function startNginx(host: Host, options: NginxOptions): Promise<Child> {
  const { address, hostnames, certificate, directory } = options;
  const files = join(directory, 'www');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'large'), '');
  truncateSync(join(files, 'large'), LARGE_FILE_BYTES);
  const proxyProtocol = options.proxyProtocol ? 'proxy_protocol' : '';
  const bracketed = address.includes(':') ? `[${address}]` : address;
  const lines = {
    server: host.name,
    host: '$host',
    scheme: '$scheme',
    peer: '$remote_addr',
    'proxy-client': '$proxy_protocol_addr',
    'x-forwarded-for': '$http_x_forwarded_for',
  };
  const body = Object.entries(lines)
    .map(([field, value]) => `${field}: ${value}\\n`)
    .join('');
  const server = (names: string, root: string) => `
  server {
    server_name ${names};
    listen ${bracketed}:80 ${proxyProtocol};
    ${certificate === undefined ? '' : `listen ${bracketed}:443 ssl ${proxyProtocol};`}
    location = / { default_type text/plain; return 200 "${body}"; }
    location / { root ${root}; }
  }`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'];
  writeFileSync(
    join(directory, 'nginx.conf'),
    `daemon off;
user root;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log ${options.accessLog ? join(directory, 'access.log') : 'off'};
  sendfile on;
  ${temporary.map((name) => `${name}_temp_path ${join(directory, name)};`).join('\n  ')}
  ${
    certificate === undefined
      ? ''
      : `ssl_certificate ${certificate.certificate};\n  ssl_certificate_key ${certificate.key};`
  }
  ${hostnames.map((name) => server(name, files)).join('')}
}
`,
  );
  const child = host.spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr']);
  await child.waitForListener('tcp', 80);
  return child;
}
