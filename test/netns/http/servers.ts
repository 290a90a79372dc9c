/**
 * Real servers, each on port 80 of its own address (addresses.ts), with a directory of files at / that they read, and /up/ into
 * which PUT writes.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../../lab/host.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { SERVERS, hostnameOf } from './addresses.ts';
import { LARGE_BYTES, LARGE_FILE, SMALL, SMALL_FILE } from './names.ts';
import type { Network } from './network.ts';
import { patternBytes } from './pattern.ts';

const WEB_SERVERS = ['nginx', 'apache', 'node', 'python10', 'python11'] as const;
export type WebServer = (typeof WEB_SERVERS)[number];

export const rootOf = ({ directory }: Pick<Network, 'directory'>, name: WebServer): string =>
  join(directory, name, 'www');

/** How long servers keep an idle connection that keep it `keepsShortly`. They do not say so before they end it. */
export const KEEPS_MS = 60;

/** Starts them, and resolves when they listen. */
export async function startServers(
  network: Network,
  names: readonly WebServer[] = WEB_SERVERS,
  { keepsShortly = false } = {},
): Promise<Record<WebServer, Child>> {
  const children = names.map(async (name) => {
    const root = rootOf(network, name);
    mkdirSync(join(root, 'up'), { recursive: true });
    // Apache gives up the rights of root.
    chmodSync(join(root, 'up'), 0o777);
    writeFileSync(join(root, SMALL_FILE), SMALL);
    writeFileSync(join(root, LARGE_FILE), patternBytes(LARGE_BYTES));
    const [command, ...args] = COMMANDS[name](join(network.directory, name), root, keepsShortly);
    const env = { KEEPS_MS: keepsShortly ? String(KEEPS_MS) : '' };
    const child = network.outside.spawn(command, args, { env });
    const direct = ['-sSf', '-m', '30', '-o', '/dev/null', `http://[${SERVERS[name]}]/${SMALL_FILE}`];
    await waitUntil(`${name}`, async () => (await network.outside.attempt('curl', direct)).code === 0, {
      timeoutMs: 30_000,
      intervalMs: 50,
      explain: child.output,
    });
    return [name, child] as const;
  });
  return Object.fromEntries(await Promise.all(children)) as Record<WebServer, Child>;
}

type Command = readonly [command: string, ...args: string[]];
const COMMANDS: Record<WebServer, (directory: string, root: string, keepsShortly: boolean) => Command> = {
  nginx: nginxCommand,
  apache: apacheCommand,
  node: nodeCommand,
  python10: (_, root) => pythonCommand('1.0', SERVERS.python10, root),
  python11: (_, root) => pythonCommand('1.1', SERVERS.python11, root),
};

function nodeCommand(directory: string, root: string): Command {
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((file) => join(directory, file));
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${hostnameOf('node')}`, '-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject], { stdio: 'ignore' });
  const script = join(import.meta.dirname, 'node-server.ts');
  return [process.execPath, script, SERVERS.node, root, key, certificate];
}

const pythonCommand = (version: string, address: string, root: string): Command => [
  '/usr/bin/python3',
  join(import.meta.dirname, 'python-server.py'),
  version,
  address,
  root,
];

function nginxCommand(directory: string, root: string, keepsShortly: boolean): Command {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'];
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
user root;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr notice;
events { worker_connections 16384; }
http {
  access_log off;
  ${keepsShortly ? `keepalive_timeout ${KEEPS_MS}ms;` : ''}
  client_max_body_size 0;
  ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server {
    listen [${SERVERS.nginx}]:80 backlog=4096;
    server_name ${hostnameOf('nginx')};
    root ${root};
    add_header Access-Control-Allow-Origin * always;
    location /up/ { dav_methods PUT DELETE; }
    location /limited/ { client_max_body_size 1k; dav_methods PUT; }
  }
}
`,
  );
  return ['nginx', '-p', directory, '-c', file, '-e', 'stderr'];
}

function apacheCommand(directory: string, root: string, keepsShortly: boolean): Command {
  const modules = ['mpm_event', 'authz_core', 'dav', 'dav_fs'];
  const file = join(directory, 'apache.conf');
  const locks = join(directory, 'locks');
  mkdirSync(locks);
  chmodSync(locks, 0o777);
  writeFileSync(
    file,
    `ServerRoot ${directory}
ServerName ${hostnameOf('apache')}
PidFile ${directory}/apache.pid
Mutex file:${directory}
Listen [${SERVERS.apache}]:80
${keepsShortly ? `KeepAliveTimeout ${KEEPS_MS}ms` : ''}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
ErrorLog ${directory}/error.log
LogLevel notice
DocumentRoot ${root}
DavLockDB ${locks}/lock
<Directory ${root}>
  Require all granted
</Directory>
<Directory ${root}/up>
  Dav On
</Directory>
`,
  );
  return ['apache2', '-f', file, '-DFOREGROUND'];
}
