/** What survives a restart of NAT64 or of its process, on the topology of nat64/topology.ts; and what is logged. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Nat64Event } from '../../src/runtime/events.ts';
import { type Appliance, INTERNET6, POOL4, type Topology, createTopology, until } from './nat64/topology.ts';

const FILE = 'nat64-sessions.bin';

/** Says over TCP what it is told. */
const TCP_ECHO = `
  require('net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
    .listen(8094, '0.0.0.0', () => console.log('ready'));`;

/** Repeats over one connection what it reads. */
const TCP_CLIENT = `
  const socket = require('net').connect(8094, '${INTERNET6}', () => console.log('connected'));
  socket.on('error', ({ code }) => console.log(code));
  socket.on('close', () => console.log('closed'));
  process.stdin.on('data', (text) => socket.write(text));
  socket.pipe(process.stdout);`;

describe('restarts', () => {
  let net: Topology;
  before(async () => {
    net = await createTopology();
    const server = net.start('internet', process.execPath, '-e', TCP_ECHO);
    await once(server.stdout as Readable, 'data');
  });
  after(() => net[Symbol.asyncDispose]());

  let appliance: Appliance;
  const start = async (nat64: Parameters<Topology['startAppliance']>[0]) => {
    appliance = await net.startAppliance(nat64);
    await until('works', () =>
      net.run('island', 'ping', '-c', '1', '-W', '1', INTERNET6).then(
        () => true,
        () => false,
      ),
    );
  };
  beforeEach(() => {
    assert.deepEqual(
      readdirSync(net.stateDirectory).filter((name) => name === FILE),
      [],
    );
  });

  /** An open connection: says something, and resolves with the answer. */
  async function connectIsland() {
    const child = net.startWithInput('island', process.execPath, '-e', TCP_CLIENT);
    const answers = (child.stdout as Readable).setEncoding('utf8');
    const next = async () => String((await once(answers, 'data'))[0]).trim();
    assert.equal(await next(), 'connected');
    return (text: string) => {
      const answer = next();
      (child.stdin as Writable).write(`${text}\n`);
      return answer;
    };
  }

  const established = async () => {
    const filter = { protocol: 'tcp' } as const;
    const page = (await appliance.ask({ ask: 'sessions', filter })) as { rows: { state: string }[] };
    return page.rows.filter(({ state }) => state === 'ESTABLISHED').length;
  };

  test('keepSessions: a connection goes on after the process has been started again', async () => {
    await start({ keepSessions: true });
    const say = await connectIsland();
    assert.equal(await say('one'), 'one');
    await appliance.stop();
    assert.ok(readdirSync(net.stateDirectory).includes(FILE));
    await start({ keepSessions: true });
    assert.ok((await appliance.counters())['sessions-restored'] >= 1);
    assert.equal(await established(), 1);
    assert.ok(!readdirSync(net.stateDirectory).includes(FILE), 'read once');
    assert.equal(await say('two'), 'two');
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
    await appliance.stop();
  });

  test('without keepSessions nothing is kept', async () => {
    await start({});
    const say = await connectIsland();
    assert.equal(await say('one'), 'one');
    await appliance.stop();
    await start({ keepSessions: true });
    assert.equal((await appliance.counters())['sessions-restored'], 0);
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
    await appliance.stop();
  });

  test('a damaged file is no obstacle', async () => {
    writeFileSync(join(net.stateDirectory, FILE), 'TBNAT64S and then nonsense');
    await start({ keepSessions: true });
    assert.equal((await appliance.counters())['sessions-restored'], 0);
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
    await appliance.stop();
  });

  test('a change that needs another device or larger tables: connections go on, whatever keepSessions says', async () => {
    await start({});
    const say = await connectIsland();
    assert.equal(await say('one'), 'one');
    await appliance.ask({ ask: 'reconfigure', nat64: { offload: false, maxSessions: 2048 } });
    assert.equal(await say('two'), 'two');
    await net.run('appliance', 'ip', 'link', 'del', 'nat64');
    await until('made again', async () => (await appliance.counters())['sessions-restored'] >= 2);
    assert.equal(await say('three'), 'three');
    await appliance.stop();
  });

  test('the log of mappings tells who had which port', async () => {
    await start({ log: 'sessions' });
    const say = await connectIsland();
    await say('one');
    const logged = async () => (await appliance.ask({ ask: 'log' })) as Nat64Event[];
    await until('logged', async () => (await logged()).some(({ protocol }) => protocol === 'tcp'));
    const tcp = (await logged()).filter(({ protocol }) => protocol === 'tcp');
    const [{ poolPort, clientPort, ...mapping }] = tcp;
    assert.deepEqual(mapping, {
      kind: 'nat64',
      what: 'mapping-created',
      protocol: 'tcp',
      client: '2001:db8:1::10',
      poolAddress: POOL4,
      remote: null,
      remotePort: null,
    });
    assert.ok(poolPort >= 32_768 && clientPort > 0);
    assert.deepEqual(
      tcp.map(({ what, remotePort }) => [what, remotePort]),
      [
        ['mapping-created', null],
        ['session-created', 8094],
      ],
    );
    await appliance.ask({ ask: 'reconfigure', nat64: { log: 'sessions', allow: [] } });
    await until('ended', async () => (await logged()).some(({ what }) => what === 'mapping-removed'));
    await appliance.stop();
  });
});
