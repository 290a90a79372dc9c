/**
 * The appliance's own addresses as servers, and what a WebSocket handshake may open. Real programs, one process.
 *
 *   attacker -------------------- appliance
 *   192.0.2.66/24                 192.0.2.1/24, 2001:db8:1::1/64    admin.allow: only the appliance itself
 *                                     |
 *                                 web   2001:db8:1::10/64    nginx: example.com, and secret.example.com for inside
 *
 * "ghost" is a server at 2001:db8:1::99. Nothing has this address until the appliance gets it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Child } from '../../lab/host.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const GHOST = '2001:db8:1::99';
const ADMIN_PORT = 8064;
const GHOST_SSH_PORT = 22_001;

const spec = {
  hosts: {
    attacker: { interfaces: { eth0: { segment: 'wan', addresses: ['192.0.2.66/24'] } } },
    appliance: {
      interfaces: {
        wan: { segment: 'wan', addresses: ['192.0.2.1/24'] },
        lan: { segment: 'lan', addresses: ['2001:db8:1::1/64'] },
      },
    },
    web: { interfaces: { eth0: { segment: 'lan', addresses: ['2001:db8:1::10/64'] } } },
  },
} as const;

const CONFIGURATION = {
  hosts: [
    { name: 'web', address: '2001:db8:1::10', hostnames: ['example.com'], services: ['http'], ssh: false },
    {
      name: 'ghost',
      address: GHOST,
      hostnames: ['ghost.example.com'],
      services: ['http', 'https'],
      // An SSH port could lead to the panel, past admin.allow.
      ssh: { port: GHOST_SSH_PORT, targetPort: ADMIN_PORT },
    },
  ],
  proxy: { listen: ['0.0.0.0', '::'] },
  dns64: { enabled: false },
  nat64: { enabled: false },
  admin: {
    listen: ['0.0.0.0', '::'],
    port: ADMIN_PORT,
    tls: 'off',
    allow: ['127.0.0.0/8', '2001:db8:1::/64'],
  },
};

/** nginx with two names at one address; its log shows the host, the client address that nginx was given, and the request. */
const nginxConfiguration = (directory: string) => `daemon off;
user root;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr notice;
events {}
http {
  log_format who '$host $http_x_forwarded_for $request';
  access_log ${directory}/access.log who;
  keepalive_timeout 60;
  ${['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server { listen [2001:db8:1::10]:80; server_name example.com; location / { return 200 "public\\n"; } }
  server { listen [2001:db8:1::10]:80; server_name secret.example.com; location / { return 200 "secret\\n"; } }
}
`;

/** Requests a WebSocket, then sends another request on the same connection (at once or after the answer); prints all answers. */
const ATTACK = `
import { connect } from 'node:net';
const socket = connect({ host: '192.0.2.1', port: 80, allowHalfOpen: true });
const handshake = 'GET / HTTP/1.1\\r\\nHost: example.com\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n';
const forged = 'GET /forged HTTP/1.1\\r\\nHost: secret.example.com\\r\\nX-Forwarded-For: 198.51.100.66\\r\\n\\r\\n';
let text = '';
socket.on('error', () => {});
socket.on('data', (bytes) => {
  const wasComplete = text.includes('public');
  text += bytes;
  if (!wasComplete && text.includes('public')) socket.write(forged.repeat(3));
});
socket.on('end', () => socket.end()).on('close', () => console.log(text));
socket.write(handshake + (process.argv[1] === 'at-once' ? forged : ''));
`;

describe('own addresses and servers', () => {
  let topology: Topology<keyof typeof spec.hosts>;
  let stateDirectory: string;
  let appliance: Child;
  let accessLog: string;

  before(async () => {
    topology = await buildTopology(spec);
    stateDirectory = join(topology.directory, 'state');
    mkdirSync(stateDirectory, { mode: 0o700 });
    const configFile = join(topology.directory, 'tombolo.json');
    writeFileSync(configFile, JSON.stringify(CONFIGURATION));
    const nginx = join(topology.directory, 'nginx');
    mkdirSync(nginx);
    accessLog = join(nginx, 'access.log');
    writeFileSync(join(nginx, 'nginx.conf'), nginxConfiguration(nginx));
    const web = topology.hosts.web.spawn('nginx', [
      '-p',
      nginx,
      '-c',
      join(nginx, 'nginx.conf'),
      '-e',
      'stderr',
    ]);
    await web.waitForListener('tcp', 80);
    appliance = topology.hosts.appliance.spawn(
      process.execPath,
      [join(ROOT, 'src/main.ts'), '--config', configFile, '--state', stateDirectory],
      {
        env: {
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile'),
        },
      },
    );
    await waitUntil('the admin page', async () => (await attempt('/health')).code === 0, {
      explain: appliance.output,
      timeoutMs: 30_000,
    });
  });
  after(() => topology[Symbol.asyncDispose]());

  /** A request to the API from the appliance itself. */
  function attempt(path: string, args: readonly string[] = []) {
    const url = `http://127.0.0.1:${ADMIN_PORT}/api${path}`;
    return topology.hosts.appliance.attempt('curl', ['-sSf', '-m', '5', ...args, url]);
  }
  async function api(path: string): Promise<Record<string, never>> {
    const token = readFileSync(join(stateDirectory, 'admin-token'), 'utf8').trim();
    const { stdout, stderr } = await attempt(path, ['-H', `Authorization: Bearer ${token}`]);
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as Record<string, never>;
  }
  async function counter(service: string, name: string): Promise<number> {
    const { services } = await api('/counters');
    const found = (services as { name: string; counters: { name: string; value: number }[] }[]).find(
      (each) => each.name === service,
    );
    return found?.counters.find((each) => each.name === name)?.value ?? Number.NaN;
  }
  async function configurationProblem(): Promise<string> {
    const { services } = await api('/status');
    const found = (services as { name: string; problem: string | null }[]).find(
      ({ name }) => name === 'configuration',
    );
    return found?.problem ?? '';
  }
  const curl = (...args: string[]) => topology.hosts.attacker.attempt('curl', ['-sS', '-m', '5', ...args]);
  const ip = (...args: string[]) => topology.hosts.appliance.run('ip', args);

  for (const when of ['after-the-answer', 'at-once']) {
    it(`a WebSocket handshake to a server without WebSocket opens no tunnel: a second request, ${when}`, async () => {
      writeFileSync(accessLog, '');
      const args = ['--input-type=module', '-e', ATTACK, when];
      const { stdout } = await topology.hosts.attacker.run(process.execPath, args);
      // What follows is a request like any other: it goes to the server of its own Host, and this one has none.
      assert.match(
        stdout,
        /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\npublic\nHTTP\/1\.1 421 [\s\S]* has the name secret\.example\.com\n\n$/,
      );
      // nginx writes its log when the request is over.
      const logged = () => readFileSync(accessLog, 'utf8');
      await waitUntil('the request in the log', () => logged().includes('\n'));
      assert.equal(logged(), 'example.com 192.0.2.66 GET / HTTP/1.1\n');
    });
  }

  it('the attacker cannot reach the panel', async () => {
    assert.notEqual((await curl(`http://192.0.2.1:${ADMIN_PORT}/api/health`)).code, 0);
  });

  /** The ways in which the appliance can get the address of "ghost". */
  const WAYS: readonly (readonly [
    what: string,
    add: readonly (readonly string[])[],
    remove: readonly string[],
  ])[] = [
    [
      'an interface',
      [['addr', 'add', `${GHOST}/64`, 'dev', 'lan', 'nodad']],
      ['addr', 'del', `${GHOST}/64`, 'dev', 'lan'],
    ],
    [
      'a loopback interface, as on routers',
      [['addr', 'add', `${GHOST}/128`, 'dev', 'lo']],
      ['addr', 'del', `${GHOST}/128`, 'dev', 'lo'],
    ],
    [
      'a whole local network (AnyIP), which is no address of an interface',
      [['-6', 'route', 'add', 'local', '2001:db8:1::98/127', 'dev', 'lo']],
      ['-6', 'route', 'del', 'local', '2001:db8:1::98/127', 'dev', 'lo'],
    ],
  ];

  for (const [what, add, remove] of WAYS) {
    it(`an address that the appliance gets is refused as a server at once, and reported: ${what}`, async () => {
      assert.equal(await configurationProblem(), '');
      for (const command of add) await ip(...command);
      await waitUntil('the problem is reported', async () => (await configurationProblem()) !== '');
      assert.match(
        await configurationProblem(),
        /\/hosts\/1\/address: "2001:db8:1::99" is an address of this appliance/,
      );

      const throughSsh = () => curl(`http://192.0.2.1:${GHOST_SSH_PORT}/api/health`);
      const refused = () => counter('forward', 'server-ourselves');
      const refusedBefore = await refused();
      // The worker gets the address a moment after the main thread has reported the problem.
      await waitUntil('a refusal', async () => {
        await throughSsh();
        return (await refused()) > refusedBefore;
      });
      const panel = await throughSsh();
      assert.notEqual(panel.code, 0, panel.stdout);
      assert.equal(panel.stdout, '');

      const before = await counter('proxy', 'accepted');
      const hello = ['s_client', '-connect', '192.0.2.1:443', '-servername', 'ghost.example.com'];
      const { stderr } = await topology.hosts.attacker.attempt('openssl', hello);
      assert.match(stderr, /alert internal error/i);
      const { stdout } = await curl('-H', 'Host: ghost.example.com', 'http://192.0.2.1/');
      assert.match(stdout, /the address of the server is that of this proxy itself/);
      assert.equal((await counter('proxy', 'accepted')) - before, 2, 'each connection is counted once');

      await ip(...remove);
      await waitUntil('the problem is over', async () => (await configurationProblem()) === '');
    });
  }

  it('a change of the configuration to an own address is refused, with path, value and expectation', async () => {
    const token = readFileSync(join(stateDirectory, 'admin-token'), 'utf8').trim();
    const { revision } = await api('/config');
    const document = { ...CONFIGURATION, hosts: [{ name: 'self', address: '2001:db8:1::1' }] };
    const { stdout } = await topology.hosts.appliance.attempt('curl', [
      ...['-sS', '-m', '5', '-H', `Authorization: Bearer ${token}`, '-H', 'Content-Type: application/json'],
      ...[
        '-d',
        JSON.stringify({ document, revision, confirmSeconds: 0 }),
        `http://127.0.0.1:${ADMIN_PORT}/api/config/apply`,
      ],
    ]);
    const { problems } = JSON.parse(stdout) as {
      problems: { path: string; value: string; expected: string }[];
    };
    assert.deepEqual(
      problems.map(({ path, value, expected }) => [path, value, expected]),
      [['/hosts/0/address', '"2001:db8:1::1"', 'the address of another machine']],
    );
  });
});
