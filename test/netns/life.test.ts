/**
 * The end of the real process, and addresses that come and go, on a drawn network.
 *
 *   internet 198.51.100.10 ── wan ── appliance 198.51.100.1, 2001:db8:1::1 ── lan ── island 2001:db8:1::10
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Child } from '../../lab/host.ts';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { requireTun } from '../../lab/preflight.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const PATIENCE = { timeoutMs: 60_000 };
const CONNECTIONS = 300;
const [SSH, TLS, ECHO] = [22_001, 443, 8094];
const LATER = '198.51.100.2';

const SPEC = {
  hosts: {
    internet: { interfaces: { eth0: { segment: 'wan', addresses: ['198.51.100.10/24'] } } },
    appliance: {
      interfaces: {
        wan: { segment: 'wan', addresses: ['198.51.100.1/24'] },
        lan: { segment: 'lan', addresses: ['2001:db8:1::1/64'] },
      },
      routes: ['default via 198.51.100.10'],
    },
    island: {
      interfaces: { eth0: { segment: 'lan', addresses: ['2001:db8:1::10/64'] } },
      routes: ['default via 2001:db8:1::1'],
    },
  },
} as const;
type Name = keyof typeof SPEC.hosts;

const CONFIGURATION = {
  hosts: [
    {
      name: 'a',
      address: '2001:db8:1::10',
      hostnames: ['example.com'],
      services: ['tls'],
      ssh: { port: SSH, targetPort: ECHO },
    },
  ],
  proxy: {
    listen: ['198.51.100.1', LATER],
    listeners: [{ name: 'tls', port: TLS, protocol: 'tls' }],
    handshakeTimeoutMs: 600_000,
  },
  forward: { listen: ['198.51.100.1'] },
  dns64: { enabled: false },
  nat64: { allow: ['lan'], pool4: [{ address: '198.51.100.1' }] },
  admin: { listen: ['127.0.0.1'] },
  shutdownSeconds: 300,
};

const ECHO_SERVER = `
  require('net').createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
    .listen(${ECHO}, '::', () => console.log('ready'));`;

/** Opens connections and prints "open". On a message it sends the rest on each, and prints how many came back whole. */
const clients = (address: string, port: number, count: number, bytes: number) => `
  const { connect } = require('net');
  let open = 0, whole = 0, ended = 0;
  const sockets = Array.from({ length: ${count} }, () => {
    let got = 0;
    const socket = connect({ host: '${address}', port: ${port} });
    socket.on('connect', () => socket.write('x'));
    socket.on('data', (chunk) => {
      if (got === 0 && ++open === ${count}) console.log('open');
      got += chunk.length;
    });
    socket.on('error', () => {});
    socket.on('close', (failed) => {
      if (!failed && got === ${bytes}) whole++;
      if (++ended === ${count}) { console.log('whole ' + whole); process.exit(); }
    });
    return socket;
  });
  process.on('message', () => sockets.forEach((socket) => socket.end(Buffer.alloc(${bytes} - 1))));`;

/** Connects, stays open and sends nothing. */
const silent = (address: string, port: number) => `
  const socket = require('net').connect({ host: '${address}', port: ${port} });
  socket.on('connect', () => console.log('connected'));
  socket.on('error', ({ code }) => { console.log(code); process.exit(1); });
  socket.on('close', () => console.log('closed'));`;

describe('the life of the process', { concurrency: false }, () => {
  let net: Topology<Name>;
  let appliance: Child;
  let stateDirectory: string;

  const node = (host: Name, script: string) =>
    net.hosts[host].spawn(process.execPath, ['-e', script], { ipc: true });
  const logged = (message: string) => appliance.waitForLine(new RegExp(`"msg":"${message}`), PATIENCE);
  const isConnectable = async (address: string) =>
    (
      await net.hosts.internet.attempt(process.execPath, [
        '-e',
        `const s = require('net').connect({ host: '${address}', port: ${TLS} }, () => process.exit(0));
         s.on('error', () => process.exit(1)); setTimeout(() => process.exit(2), 3000);`,
      ])
    ).code === 0;
  const screen = () =>
    JSON.parse(readFileSync(join(stateDirectory, 'console.json'), 'utf8')) as {
      status: string;
      problem: string | null;
    };

  /** All kernel state that the process may have set. */
  async function kernelState(): Promise<string> {
    const commands = [
      ['ip', '-brief', 'link'],
      ['ip', '-4', 'rule'],
      ['ip', '-6', 'rule'],
      ['ip', '-4', 'route', 'show', 'table', 'all'],
      ['ip', '-6', 'route', 'show', 'table', 'all'],
      ['nft', 'list', 'ruleset'],
      ['sysctl', 'net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding', 'net.ipv4.ip_local_port_range'],
      [
        'sysctl',
        'net.ipv4.ip_local_reserved_ports',
        'net.ipv4.conf.all.rp_filter',
        'net.ipv6.conf.lan.accept_ra',
      ],
    ] as const;
    const texts: string[] = [];
    for (const [command, ...args] of commands)
      texts.push((await net.hosts.appliance.run(command, args)).stdout);
    return texts.join('\n');
  }

  async function start(): Promise<void> {
    const configFile = join(net.directory, 'tombolo.json');
    stateDirectory = join(net.directory, 'state');
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(configFile, JSON.stringify(CONFIGURATION));
    appliance = net.hosts.appliance.spawn(process.execPath, [
      join(ROOT, 'src/main.ts'),
      '--config',
      configFile,
      '--state',
      stateDirectory,
    ]);
    await logged('started');
  }

  let pristine: string;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    requireTun();
    net = await buildTopology(SPEC);
    await node('island', ECHO_SERVER).waitForLine(/ready/);
    await node('internet', ECHO_SERVER).waitForLine(/ready/);
    pristine = await kernelState();
  });
  afterEach(() => appliance?.stop('SIGKILL', 0));
  after(() => net?.[Symbol.asyncDispose]());

  it('an address that does not exist yet is served when it appears, and again after it disappeared and came back', async () => {
    const ip = (...args: string[]) => net.hosts.appliance.run('ip', args);
    await start();
    assert.equal(await isConnectable('198.51.100.1'), true, 'the other address is served');
    await waitUntil(
      'the screen',
      () => /198\.51\.100\.2:443.*does not have the address now/.test(screen().problem ?? ''),
      PATIENCE,
    );
    assert.equal(screen().status, 'degraded');
    await ip('addr', 'add', `${LATER}/24`, 'dev', 'wan');
    await waitUntil('it is served', () => isConnectable(LATER), PATIENCE);
    await waitUntil('all is well', () => screen().status === 'ok', PATIENCE);
    // The kernel keeps a socket bound to an address that disappears.
    await ip('addr', 'del', `${LATER}/24`, 'dev', 'wan');
    assert.equal(await isConnectable(LATER), false);
    await ip('addr', 'add', `${LATER}/24`, 'dev', 'wan');
    assert.equal(await isConnectable(LATER), true);
    assert.equal(appliance.output().match(/listens now/g)?.length, 1);
    await ip('addr', 'del', `${LATER}/24`, 'dev', 'wan');
    appliance.process.kill('SIGTERM');
    assert.equal(await appliance.exited, 0);
    assert.equal(await kernelState(), pristine);
  });

  it(`SIGTERM: ${CONNECTIONS} of ${CONNECTIONS} connections finish, and NAT64 translates until then`, async () => {
    await start();
    const forwarded = node('internet', clients('198.51.100.1', SSH, CONNECTIONS, 50_000));
    const translated = node('island', clients('64:ff9b::c633:640a', ECHO, 20, 50_000));
    await Promise.all([forwarded, translated].map((each) => each.waitForLine(/open/, PATIENCE)));
    appliance.process.kill('SIGTERM');
    await logged('stopping');
    translated.process.send({});
    assert.equal((await translated.waitForLine(/whole (\d+)/, PATIENCE))[1], '20', 'NAT64');
    // New connections are translated, too: its hosts have no other route.
    const late = node('island', clients('64:ff9b::c633:640a', ECHO, 1, 100));
    await late.waitForLine(/open/, PATIENCE);
    late.process.send({});
    assert.equal((await late.waitForLine(/whole (\d+)/, PATIENCE))[1], '1');
    forwarded.process.send({});
    assert.equal((await forwarded.waitForLine(/whole (\d+)/, PATIENCE))[1], `${CONNECTIONS}`, 'forwarder');
    assert.equal(await appliance.exited, 0);
    assert.equal(await kernelState(), pristine);
  });

  it('a second signal ends it at once, and leaves nothing behind', async () => {
    await start();
    const client = node('internet', silent('198.51.100.1', TLS));
    await client.waitForLine(/connected/, PATIENCE);
    const during = await kernelState();
    assert.notEqual(during, pristine);
    appliance.process.kill('SIGTERM');
    await logged('stopping');
    appliance.process.kill('SIGTERM');
    assert.equal(await appliance.exited, 0);
    await client.waitForLine(/closed|ECONNRESET/, PATIENCE);
    assert.equal(await kernelState(), pristine);
  });

  it('SIGTERM and SIGHUP during the start: an orderly end that leaves nothing behind', async () => {
    const hasHandlers = (pid: number) => {
      const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
      return (BigInt(`0x${mask}`) & 1n) === 1n;
    };
    const configFile = join(net.directory, 'tombolo.json');
    appliance = net.hosts.appliance.spawn(process.execPath, [
      join(ROOT, 'src/main.ts'),
      '--config',
      configFile,
      '--state',
      stateDirectory,
    ]);
    await waitUntil('its handlers', () => hasHandlers(appliance.pid), PATIENCE);
    appliance.process.kill('SIGHUP');
    await waitUntil(
      'the device',
      async () => (await net.hosts.appliance.attempt('ip', ['link', 'show', 'nat64'])).code === 0,
      {
        ...PATIENCE,
        intervalMs: 1,
      },
    );
    appliance.process.kill('SIGTERM');
    assert.equal(await appliance.exited, 0);
    assert.equal(await kernelState(), pristine);
  });
});
