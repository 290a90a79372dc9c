/** What survives a restart of NAT64 or of its process, and what is logged; on the topology of nat64/topology.ts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Nat64Found } from '../../src/services/nat64/contract.ts';
import { type Appliance, INTERNET6, POOL4, type Topology, createTopology } from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const FILE = 'nat64-sessions.bin';

/** A TCP echo server. */
const TCP_ECHO = `
  require('net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
    .listen(8094, '0.0.0.0', () => console.log('ready'));`;

/** Sends its input over one connection, and prints the answers. */
const TCP_CLIENT = `
  const socket = require('net').connect(8094, '${INTERNET6}', () => console.log('connected'));
  socket.on('error', ({ code }) => console.log(code));
  socket.on('close', () => console.log('closed'));
  process.stdin.on('data', (text) => socket.write(text));
  socket.pipe(process.stdout);`;

/** A TCP server that sends consecutive numbers, fifty a second. */
const TICK_SERVER = `
  require('net').createServer((socket) => {
    let tick = 0;
    const timer = setInterval(() => socket.write(tick++ + '\\n'), 20);
    socket.on('error', () => {}).on('close', () => clearInterval(timer));
  }).listen(8095, '0.0.0.0', () => console.log('ready'));`;

/** Prints them. */
const TICK_CLIENT = `
  const socket = require('net').connect(8095, '${INTERNET6}');
  socket.on('error', ({ code }) => console.log(code));
  socket.on('close', () => console.log('closed'));
  let rest = '';
  socket.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\\n');
    rest = lines.pop();
    if (lines.length > 0) console.log(lines.join('\\n'));
  });`;

const FORGETS = { keepSessions: false };

describe('restarts', () => {
  let net: Topology;
  before(async () => {
    net = await createTopology();
    for (const program of [TCP_ECHO, TICK_SERVER]) {
      const server = net.start('internet', process.execPath, '-e', program);
      await once(server.stdout as Readable, 'data');
    }
  });
  after(() => net[Symbol.asyncDispose]());

  let appliance: Appliance;
  const start = async (nat64: Parameters<Topology['startAppliance']>[0]) => {
    appliance = await net.startAppliance(nat64);
    await waitUntil('works', () =>
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

  /** An open connection: `say` sends a text, and resolves with the answer. */
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

  test('a connection survives a restart of the process', async () => {
    await start({});
    const say = await connectIsland();
    assert.equal(await say('one'), 'one');
    await appliance.stop();
    assert.ok(readdirSync(net.stateDirectory).includes(FILE));
    await start({});
    assert.ok((await appliance.counters())['sessions-restored'] >= 1);
    assert.equal(await established(), 1);
    assert.ok(!readdirSync(net.stateDirectory).includes(FILE), 'read once');
    assert.equal(await say('two'), 'two');
    await appliance.ask({ ask: 'reconfigure', nat64: FORGETS });
    await appliance.stop();
  });

  /** A connection on which the internet sends all the time; the test notices a reset and each lost byte. */
  function listen() {
    const child = net.start('island', process.execPath, '-e', TICK_CLIENT);
    let last = -1;
    let wrong = '';
    (child.stdout as Readable).setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) {
        if (Number(line) === last + 1) last++;
        else wrong = line;
      }
    });
    return {
      async hears(more: number) {
        const wanted = last + more;
        await waitUntil(`tick ${wanted}`, async () => wrong !== '' || last >= wanted, { timeoutMs: 60_000 });
        assert.equal(wrong, '');
      },
      [Symbol.dispose]: () => void child.kill(),
    };
  }

  for (const fastPath of [true, false])
    test(`a busy connection survives a stop and a kill, fast path ${fastPath ? 'on' : 'off'}`, async () => {
      await start({ fastPath });
      using connection = listen();
      await connection.hears(20);
      if (fastPath)
        await waitUntil('handed over', async () => (await appliance.counters())['flows-handed-over'] > 0);
      await appliance.stop();
      const file = readFileSync(join(net.stateDirectory, FILE));
      // Without the hold, the kernel would answer these segments with a reset.
      await waitUntil('sent again', async () => (await resent()) > 0);
      await start({ fastPath });
      await connection.hears(50);
      assert.equal(await established(), 1);
      assert.equal(await net.run('appliance', 'nft', 'list', 'tables'), 'table inet tombolo-nat64\n');

      await appliance.kill();
      await waitUntil('sent again', async () => (await resent()) > 0);
      // As the process writes it from time to time.
      writeFileSync(join(net.stateDirectory, FILE), file);
      await start({ fastPath });
      await connection.hears(50);
      await appliance.ask({ ask: 'reconfigure', nat64: FORGETS });
      await appliance.stop();
    });

  /** The number of back-offs of the server's end: it has repeated a segment and waits for the acknowledgement. */
  async function resent(): Promise<number> {
    const text = await net.run('internet', 'ss', '-tnoi', 'sport', '=', ':8095');
    return Number(/ backoff:(\d+)/.exec(text)?.[1] ?? 0);
  }

  test('without keepSessions no session is restored', async () => {
    await start(FORGETS);
    const say = await connectIsland();
    assert.equal(await say('one'), 'one');
    await appliance.stop();
    await start({ keepSessions: true });
    assert.equal((await appliance.counters())['sessions-restored'], 0);
    await appliance.ask({ ask: 'reconfigure', nat64: FORGETS });
    await appliance.stop();
  });

  test('NAT64 starts with a damaged file', async () => {
    writeFileSync(join(net.stateDirectory, FILE), 'TBNAT64S and then nonsense');
    await start({});
    assert.equal((await appliance.counters())['sessions-restored'], 0);
    await appliance.ask({ ask: 'reconfigure', nat64: FORGETS });
    await appliance.stop();
  });

  test('a change that needs another device or larger tables: connections survive, whatever the value of keepSessions', async () => {
    await start(FORGETS);
    const say = await connectIsland();
    assert.equal(await say('one'), 'one');
    using connection = listen();
    await connection.hears(20);
    await appliance.ask({ ask: 'reconfigure', nat64: { ...FORGETS, offload: false, maxSessions: 2048 } });
    assert.equal(await say('two'), 'two');
    await connection.hears(20);
    await net.run('appliance', 'ip', 'link', 'del', 'nat64');
    await waitUntil('made again', async () => (await appliance.counters())['sessions-restored'] >= 2);
    assert.equal(await say('three'), 'three');
    await connection.hears(20);
    await appliance.stop();
  });

  test('the log of mappings shows which client had which port', async () => {
    await start({ ...FORGETS, log: 'sessions' });
    const say = await connectIsland();
    await say('one');
    const logged = async () => (await appliance.ask({ ask: 'log' })) as Nat64Found[];
    const tcpLogged = async () => (await logged()).filter(({ protocol }) => protocol === 'tcp');
    // The ring may be read between the two records.
    await waitUntil('mapping and session logged', async () => (await tcpLogged()).length >= 2);
    const tcp = await tcpLogged();
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
    await appliance.ask({ ask: 'reconfigure', nat64: { ...FORGETS, log: 'sessions', allow: [] } });
    await waitUntil('ended', async () => (await logged()).some(({ what }) => what === 'mapping-removed'));
    await appliance.stop();
  });
});
