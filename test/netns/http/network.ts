/**
 * The network of the HTTP tests: clients and servers are in one namespace, so that one process can be both ends of an exchange,
 * and the proxy is between them in another.
 *
 *   outside                                                   appliance
 *   clients   203.0.113.10, 203.0.113.66 ------------ wan     203.0.113.1
 *   servers   2001:db8:1::10 and following ---------- lan     2001:db8:1::1
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child, Host, Output } from '../../../lab/host.ts';
import { type Topology, buildTopology } from '../../../lab/topology.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { type ServerName, ADDRESSES, SERVERS, hostnameOf } from './addresses.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ADMIN = 'http://127.0.0.1:8064';

const SPEC = {
  hosts: {
    outside: {
      interfaces: {
        wan: { segment: 'wan', addresses: [`${ADDRESSES.client}/24`, `${ADDRESSES.hostile}/24`] },
        lan: {
          segment: 'lan',
          addresses: Object.values(SERVERS).map((address) => `${address}/64`),
        },
      },
      etc: {
        hosts: [
          '127.0.0.1 localhost',
          ...Object.keys(SERVERS).map((name) => `${ADDRESSES.proxy} ${hostnameOf(name as ServerName)}`),
          '',
        ].join('\n'),
        'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n',
      },
    },
    appliance: {
      interfaces: {
        wan: { segment: 'wan', addresses: [`${ADDRESSES.proxy}/24`] },
        lan: { segment: 'lan', addresses: [`${ADDRESSES.lan}/64`] },
      },
    },
  },
} as const;

/** What a test may change of the configuration. */
export interface NetworkOptions {
  /** Fields of `proxy`. */
  readonly proxy?: object;
  /** Fields of all servers. */
  readonly host?: object;
  /** The program, if it is not that of this checkout. */
  readonly main?: string;
}

export interface Network extends AsyncDisposable {
  readonly outside: Host;
  /** A directory for work files. */
  readonly directory: string;
  readonly appliance: Child;
  /** The configuration that the process was started with. */
  readonly configuration: {
    readonly proxy: object;
    readonly hosts: readonly { readonly name: string; readonly hostnames: readonly string[] }[];
  };
  /** Applies another configuration; rejects when it is refused. */
  apply(document: object): Promise<void>;
  counters(): Promise<Record<string, number>>;
  /** Of the proxy at present. */
  figures(): Promise<Record<string, number>>;
  /** Resident memory of the process. */
  rssBytes(): number;
}

/** Builds the network and starts the process, which serves no name before its servers are started. */
export async function startNetwork(options: NetworkOptions = {}): Promise<Network> {
  const topology = await buildTopology(SPEC);
  try {
    return await startIn(topology, options);
  } catch (error) {
    await topology[Symbol.asyncDispose]();
    throw error;
  }
}

async function startIn(
  topology: Topology<'outside' | 'appliance'>,
  { proxy = {}, host = {}, main = join(ROOT, 'src/main.ts') }: NetworkOptions,
): Promise<Network> {
  const { directory } = topology;
  const { outside, appliance } = topology.hosts;
  const configFile = join(directory, 'tombolo.json');
  const stateDirectory = join(directory, 'state');
  const tokenFile = join(stateDirectory, 'admin-token');
  const configuration = {
    hosts: Object.entries(SERVERS).map(([name, address]) => ({
      name,
      address,
      hostnames: [hostnameOf(name as ServerName)],
      services: ['http'],
      ssh: false,
      ...host,
    })),
    proxy,
    dns64: { enabled: false },
    nat64: { enabled: false },
  };
  mkdirSync(stateDirectory, { mode: 0o700 });
  // No reset, no ICMP error: who connects to it waits.
  await outside.run('nft', ['-f', '-'], {
    input: `table inet dead {
      chain input { type filter hook input priority 0; ip6 daddr ${SERVERS.dead} tcp dport 80 drop; }
    }`,
  });
  writeFileSync(configFile, JSON.stringify(configuration));
  const cache = process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile');
  const child = appliance.spawn(process.execPath, [main, '--config', configFile, '--state', stateDirectory], {
    env: { NODE_COMPILE_CACHE: cache },
  });
  const ask = async (path: string, args: readonly string[] = []): Promise<Output> => {
    const token = readFileSync(tokenFile, 'utf8').trim();
    return appliance.attempt(
      'curl',
      ['-sS', '-f', '-m', '20', '-H', `Authorization: Bearer ${token}`, ...args, ADMIN + path],
      { timeoutMs: 30_000 },
    );
  };
  const json = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const post =
      body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
    // A client may send 600 requests a minute.
    const answered = await waitUntil(
      `an answer of ${path}`,
      async () => {
        const { code, stdout, stderr } = await ask(path, post);
        if (code !== 0 && !stderr.includes(' 429')) throw new Error(`${path}: ${stdout}${stderr}`);
        return code === 0 && stdout;
      },
      { timeoutMs: 120_000, intervalMs: 1000 },
    );
    return JSON.parse(answered) as Record<string, unknown>;
  };
  await child.waitForListener('tcp', 80, { timeoutMs: 60_000 });
  await waitUntil(
    'the admin page',
    async () => existsSync(tokenFile) && (await ask('/api/health')).code === 0,
    {
      timeoutMs: 30_000,
      explain: child.output,
    },
  );
  return {
    outside,
    directory,
    appliance: child,
    configuration,
    async apply(document) {
      const { revision } = await json('/api/config');
      await json('/api/config/apply', { document, revision, confirmSeconds: 0 });
    },
    async counters() {
      const { services } = (await json('/api/counters')) as {
        services: { name: string; counters: { name: string; value: number }[] }[];
      };
      const { counters } = services.find(({ name }) => name === 'proxy')!;
      return Object.fromEntries(counters.map(({ name, value }) => [name, value]));
    },
    async figures() {
      const { services } = (await json('/api/status')) as {
        services: { name: string; figures: Record<string, number> }[];
      };
      return services.find(({ name }) => name === 'proxy')!.figures;
    },
    rssBytes() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      await child.stop('SIGTERM', 20_000);
      await topology[Symbol.asyncDispose]();
    },
  };
}
