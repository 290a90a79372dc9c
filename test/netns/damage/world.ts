/**
 * A process with a state directory of every kind of file, on a drawn network, for tests that damage it:
 *
 *   web1 ------------------------------ appliance
 *   192.0.2.10, 2001:db8:1::10          192.0.2.1, 2001:db8:1::1
 *
 * web1 is the server (HTTP on 80, "SSH" on 22) and the client of all four services: proxy, SSH port, DNS64, and, by
 * 2001:db8:64::192.0.2.10, itself through NAT64. The process runs as root without the right to bypass file permissions.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../../lab/host.ts';
import { type Topology, buildTopology } from '../../../lab/topology.ts';
import { waitUntil } from '../../../lab/wait.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** In the state directory, as on the appliance. */
const CONFIG = 'config.json';
export const PASSWORD = 'tide tables of the east';

const SPEC = {
  hosts: {
    web1: {
      interfaces: { eth0: { segment: 'lan', addresses: ['192.0.2.10/24', '2001:db8:1::10/64'] } },
      routes: ['2001:db8:64::/96 via 2001:db8:1::1'],
    },
    appliance: {
      interfaces: { eth0: { segment: 'lan', addresses: ['192.0.2.1/24', '2001:db8:1::1/64'] } },
    },
  },
} as const;

const SERVER = `
  require('net').createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-web1\\r\\n')).listen(22, '::');
  require('http').createServer((request, response) => response.end('web1')).listen(80, '::', () => console.log('ready'));`;

export const GOOD = {
  hosts: [{ name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'] }],
  // 64:ff9b::/96 stands for global addresses only (RFC 6052 section 3.1), of which the lab has none.
  nat64: { prefix: '2001:db8:64::/96', keepSessions: true },
  dns64: { prefixes: ['2001:db8:64::/96'], upstreams: ['udp://192.0.2.10'] },
  admin: { listen: ['0.0.0.0', '::'] },
};

export type Files = Readonly<{ config: string; state: string }>;

export interface Reply {
  readonly status: number;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it reads.
  json(): any;
}

export interface Running extends AsyncDisposable {
  readonly child: Child;
  /** The path of a file as the process sees it, also if its mount namespace has another file system there. */
  path(name: string): string;
  api(method: string, path: string, body?: object, token?: string): Promise<Reply>;
  /** All four services work for a client; rejects with those that do not. */
  serves(which?: readonly Service[]): Promise<void>;
  /** The reports of GET status, which the health, the metrics, the screen and `tombolo status` must agree with. */
  agreed(token?: string): Promise<Map<string, { state: string; problem: string | null }>>;
}

export type Service = 'proxy' | 'ssh' | 'dns64' | 'nat64';
const ALL: readonly Service[] = ['proxy', 'ssh', 'dns64', 'nat64'];

const PROBES: Readonly<Record<Service, readonly [wanted: RegExp, ...command: string[]]>> = {
  proxy: [/^web1$/, 'curl', '-sS', '-m', '5', '-H', 'Host: example.com', 'http://192.0.2.1/'],
  ssh: [/^SSH-2.0-web1/, 'curl', '-sS', '-m', '5', '--http0.9', 'http://192.0.2.1:22001/'],
  dns64: [/:c000:aa$/m, 'dig', '+short', '+time=2', '+tries=1', '@192.0.2.1', 'ipv4only.arpa', 'AAAA'],
  nat64: [/^web1$/, 'curl', '-sS', '-m', '5', 'http://[2001:db8:64::192.0.2.10]/'],
};

export interface World extends AsyncDisposable {
  readonly topology: Topology<'web1' | 'appliance'>;
  /** An API token of scope system, in auth.json. */
  readonly token: string;
  readonly revisions: number;
  /** A copy of the files that a process has left behind after running for a while. */
  files(name: string): Files;
  /**
   * Starts the process and waits until it serves. `prepare`: shell commands in its mount namespace before it, with $STATE and
   * $CONFIG; `wait`: which services must serve.
   */
  start(files: Files, options?: { prepare?: string; wait?: readonly Service[] }): Promise<Running>;
}

export async function buildDamageWorld(): Promise<World> {
  await using cleanUp = new AsyncDisposableStack();
  const topology = cleanUp.use(await buildTopology(SPEC));
  const { web1, appliance } = topology.hosts;
  const actions = join(topology.directory, 'actions');
  await web1.spawn(process.execPath, ['-e', SERVER]).waitForLine(/ready/);

  async function curl(
    method: string,
    path: string,
    body: object | undefined,
    token: string | undefined,
    more: string[] = [],
  ): Promise<Reply> {
    const { stdout } = await appliance.attempt(
      'curl',
      [
        '-sSk',
        '-m',
        '20',
        '-X',
        method,
        '-w',
        '\n%{http_code}',
        ...more,
        ...(token === undefined ? [] : ['-H', `authorization: Bearer ${token}`]),
        ...(body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]),
        `http://127.0.0.1:8064${path}`,
      ],
      { timeoutMs: 30_000 },
    );
    const end = stdout.lastIndexOf('\n');
    const text = stdout.slice(0, Math.max(0, end));
    return { status: Number(stdout.slice(end + 1)), body: text, json: () => JSON.parse(text) };
  }

  async function serves(which = ALL): Promise<void> {
    for (const service of which) {
      const [wanted, command, ...args] = PROBES[service];
      await waitUntil(
        `${service} to serve`,
        async () => wanted.test((await web1.attempt(command, args)).stdout.trim()),
        {
          timeoutMs: 30_000,
          intervalMs: 100,
        },
      );
    }
  }

  async function start(
    { config, state }: Files,
    { prepare = ':', wait = ALL }: { prepare?: string; wait?: readonly Service[] } = {},
  ): Promise<Running> {
    const script = `${prepare}\nexec setpriv --bounding-set=-dac_override,-dac_read_search "$@"`;
    const child = appliance.spawn(
      'sh',
      [
        '-euc',
        script,
        'sh',
        process.execPath,
        join(ROOT, 'src/main.ts'),
        '--config',
        config,
        '--state',
        state,
      ],
      {
        env: {
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile'),
          STATE: state,
          CONFIG: config,
          TOMBOLO_ACTIONS: actions,
          RUNTIME_DIRECTORY: actions,
          TOMBOLO_SSH_HOST_KEY: join(topology.directory, 'host-key.pub'),
        },
      },
    );
    const explain = () => child.output().slice(-6000);
    const token = world?.token;
    let ended: unknown;
    void child.exited.then((how) => (ended = how));
    try {
      await waitUntil(
        'the page',
        async () => {
          if (ended !== undefined) throw new Error(`ended with ${String(ended)}\n${explain()}`);
          return (await curl('GET', '/api/health', undefined, undefined)).status === 200;
        },
        { timeoutMs: 60_000, intervalMs: 50, explain },
      );
      await serves(wait);
    } catch (error) {
      await child.stop('SIGKILL');
      throw new Error(explain(), { cause: error });
    }
    const path = (name: string) => join(`/proc/${child.pid}/root`, state, name);
    return {
      child,
      path,
      api: (method, where, body, ownToken = token) => curl(method, where, body, ownToken),
      serves,
      agreed: (ownToken = token ?? '') => agreedOn(ownToken),
      async [Symbol.asyncDispose]() {
        await child.stop('SIGTERM', 20_000);
      },
    };
  }

  /** Retries until all agree: they are queried one after the other. */
  async function agreedOn(token: string) {
    let why = '';
    return waitUntil(
      'status, health, metrics, screen and command line to agree',
      async () => {
        const status = (await curl('GET', '/api/status', undefined, token)).json();
        const health = (await curl('GET', '/api/health', undefined, undefined)).json();
        const metrics = (await curl('GET', '/metrics', undefined, token)).body;
        const screen = screenOf(join(actions, 'console.json'));
        const cli = await appliance.attempt(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'status'], {
          env: { TOMBOLO_TOKEN: token },
        });
        const reports = new Map<string, { state: string; problem: string | null }>(
          status.services.map(({ name, state, problem }: Record<string, string>) => [
            name,
            { state, problem },
          ]),
        );
        why = '';
        if (health.status !== status.status) why = `health ${health.status}, status ${status.status}`;
        if (
          cli.code !== (status.status === 'ok' ? 0 : cli.code) ||
          (status.status !== 'ok' && cli.code === 0)
        )
          why = `tombolo status: ${cli.code}`;
        for (const [name, { state, problem }] of reports) {
          const up = new RegExp(`tombolo_service_up\\{service="${name}"\\} ([01]|NaN)`).exec(metrics)?.[1];
          const wanted = state === 'unknown' ? Number.NaN : Number(state === 'running');
          if (up !== String(wanted)) why = `metrics: ${name} ${up}, ${state}`;
          if (problem === null) continue;
          if (!cli.stdout.includes(problem)) why = `tombolo status does not say: ${problem}\n${cli.stdout}`;
          if (!screen.includes(problem)) why = `the screen does not say: ${problem}\n${screen}`;
        }
        return why === '' ? reports : undefined;
      },
      { timeoutMs: 20_000, intervalMs: 250, explain: () => why },
    );
  }

  const state = join(topology.directory, 'template');
  const template = { state, config: join(state, CONFIG) };
  mkdirSync(actions, { mode: 0o700 });
  let world: World | undefined;
  let copies = 0;
  const { token, revisions } = await makeTemplate();
  const running = cleanUp.move();
  world = {
    topology,
    token,
    revisions,
    files(name) {
      const state = join(topology.directory, `${name}-${++copies}`);
      cpSync(template.state, state, { recursive: true, preserveTimestamps: true });
      return { state, config: join(state, CONFIG) };
    },
    start,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  return world;

  /** An owner, two changes, a token, sessions of NAT64; then an orderly stop, so that all of it is on the disk. */
  async function makeTemplate() {
    mkdirSync(template.state, { mode: 0o700 });
    writeFileSync(template.config, JSON.stringify({ ...GOOD, hosts: [] }));
    const first = await start(template, { wait: ['dns64', 'nat64'] });
    const bootstrap = readFileSync(join(template.state, 'admin-token'), 'utf8').trim();
    const done = async (method: string, path: string, body: object) => {
      const reply = await first.api(method, path, body, bootstrap);
      assert.equal(reply.status, 200, reply.body);
      return reply;
    };
    await done('PUT', '/api/password', { next: PASSWORD });
    const { revision } = (await first.api('GET', '/api/config', undefined, bootstrap)).json();
    await done('POST', '/api/config/apply', { document: GOOD, revision, confirmSeconds: 0 });
    const made = await first.api(
      'POST',
      '/api/tokens',
      { name: 'test', scope: 'system', expiresInDays: null },
      bootstrap,
    );
    assert.ok(made.status < 300, made.body);
    await first.serves();
    await first[Symbol.asyncDispose]();
    writeFileSync(join(template.state, 'authorized_keys'), '# nobody\n', { mode: 0o600 });
    const names = readdirSync(template.state);
    for (const name of [
      'auth.json',
      'history.sqlite',
      'nat64-sessions.bin',
      'admin-certificate.pem',
      'claimed',
    ])
      assert.ok(names.includes(name), `${name} is not in ${names.join(' ')}\n${first.child.output()}`);
    const lines = readFileSync(join(template.state, 'revisions'), 'utf8').trim().split('\n');
    return { token: made.json().secret as string, revisions: lines.length };
  }
}

/** What the screen shows. */
const screenOf = (file: string): string => JSON.parse(readFileSync(file, 'utf8')).problem ?? '';
