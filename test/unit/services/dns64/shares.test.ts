/** Limited resources of DNS64: one client uses them up, and another still gets answers (issue "Trust", D). */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { type EventEmitter, once as onceOf } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import dnsPacket, { type Packet } from 'dns-packet';
import { silentLog } from '../../../../src/runtime/log.ts';
import { startDns64 } from '../../../../src/services/dns64/service.ts';
import { NOBODY } from '../../net/support.ts';
import { askUdp, frame, scriptedUpstream, zone } from './helpers.ts';
import { freePort } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

/** Fails instead of waiting for ever. */
const once = (emitter: EventEmitter, event: string) =>
  onceOf(emitter, event, { signal: AbortSignal.timeout(20_000) });

const ATTACKER = '127.0.0.66';
const GOOD = '127.0.0.2';
const OUTSIDER = '127.0.1.1';

let nextId = 1;
const encode = (name: string) =>
  dnsPacket.encode({
    type: 'query',
    id: nextId++ & 0xffff,
    flags: 0x0100,
    questions: [{ name, type: 'A' }],
  });

const DATA = zone({
  ...Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`v${i}.example.com`, { A: [{ data: '192.0.2.1' }] }]),
  ),
});

/** A resolver whose upstream never answers names with "slow" in them. */
async function start(stack: AsyncDisposableStack) {
  const upstream = stack.use(
    await scriptedUpstream((query, ...rest) =>
      query.questions?.[0].name.toLowerCase().startsWith('slow') ? undefined : DATA(query, ...rest),
    ),
  );
  const port = await freePort();
  const service = stack.use(
    await startDns64(
      {
        dns64: {
          enabled: true,
          listen: ['127.0.0.1'],
          port,
          prefixes: ['64:ff9b::/96'],
          upstreams: [upstream.url],
          allow: ['127.0.0.0/24'],
          cacheEntries: 1000,
          queryLog: 'off',
        },
      },
      { log: silentLog, stateDirectory: '/nonexistent', ourselves: NOBODY },
    ),
  );
  return { port, service };
}

async function flooder(stack: AsyncDisposableStack, port: number, address = ATTACKER) {
  const socket = dgram.createSocket('udp4');
  stack.defer(() => void socket.close());
  socket.bind(0, address);
  await once(socket, 'listening');
  /** Resolves when the kernel has all of them. */
  return async (name: (i: number) => string, count: number) => {
    for (let i = 0; i < count; i++) {
      const sent = new Promise((resolve) => socket.send(encode(name(i)), port, '127.0.0.1', resolve));
      if (i % 100 === 99) await sent;
    }
  };
}

/** A TCP connection from an address; received data is collected. */
async function connect(stack: AsyncDisposableStack, port: number, localAddress: string) {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  stack.defer(() => void socket.destroy());
  await once(socket, 'connect').catch(() => {});
  return socket;
}

async function askTcpFrom(stack: AsyncDisposableStack, port: number, address: string, name: string) {
  const socket = await connect(stack, port, address);
  socket.write(frame(encode(name)));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return dnsPacket.decode(reply.subarray(2)) as Packet & { rcode?: string };
}

const isAnswered = async (port: number, name: string) => {
  const { answers } = dnsPacket.decode(await askUdp(port, encode(name), { from: GOOD }));
  assert.equal(answers?.length, 1, name);
};

describe('one client uses up', () => {
  test('the TCP connections: another client gets one, again and again; its connections are not taken away', async () => {
    await using stack = new AsyncDisposableStack();
    const { port, service } = await start(stack);
    const kept = await connect(stack, port, GOOD);
    for (let i = 0; i < 300; i++) await connect(stack, port, ATTACKER);
    await waitUntil('the limit is reached', () => service.counters()['tcp-displaced'] >= 40);
    assert.equal(service.status().figures.tcpConnections, 256);
    const limit = service.limits!().find(({ size }) => size === 256);
    assert.equal(limit?.used, 256, 'the status reports this from 90 % on');
    for (let i = 0; i < 20; i++) {
      await connect(stack, port, ATTACKER);
      assert.equal((await askTcpFrom(stack, port, '127.0.0.3', `v${i}.example.com`)).answers?.length, 1);
    }
    kept.write(frame(encode('v1.example.com')));
    const [reply] = (await once(kept, 'data')) as [Buffer];
    assert.equal(dnsPacket.decode(reply.subarray(2)).answers?.length, 1);
  });

  const floods: readonly {
    readonly title: string;
    readonly name: (i: number) => string;
    readonly figure: number;
  }[] = [
    {
      title: 'pending queries, by names that nobody answers',
      name: (i) => `slow${i}.example.com`,
      figure: 300,
    },
    { title: 'waiting queries, by one such name', name: () => 'slow.example.com', figure: 1 },
  ];
  for (const { title, name, figure } of floods) {
    test(`the ${title}: another client is answered`, async () => {
      await using stack = new AsyncDisposableStack();
      const { port, service } = await start(stack);
      const flood = await flooder(stack, port);
      for (let round = 0; round < 4; round++) {
        await flood(name, 1500);
        await waitUntil(
          'the flood has arrived',
          () =>
            Number(service.status().figures.inFlight) >= figure &&
            service.counters()['drop-share'] + service.counters()['drop-overload'] > 0,
        );
        for (let i = 0; i < 5; i++) await isAnswered(port, `v${round * 5 + i}.example.com`);
      }
      assert.equal(service.counters()['drop-overload'], 0);
    });
  }

  test('waiting queries over TCP: another client is answered over both', async () => {
    await using stack = new AsyncDisposableStack();
    const { port, service } = await start(stack);
    for (let connection = 0; connection < 20; connection++) {
      const socket = await connect(stack, port, ATTACKER);
      for (let i = 0; i < 100; i++) socket.write(frame(encode(`slow${connection}-${i}.example.com`)));
    }
    await waitUntil('the flood has arrived', () => service.counters()['drop-share'] > 100);
    for (let i = 0; i < 5; i++) {
      await isAnswered(port, `v${i}.example.com`);
      assert.equal((await askTcpFrom(stack, port, GOOD, `v${i + 5}.example.com`)).answers?.length, 1);
    }
  });

  test('the answers REFUSED: another client outside the list still gets one', async () => {
    await using stack = new AsyncDisposableStack();
    const { port, service } = await start(stack);
    const flood = await flooder(stack, port, OUTSIDER);
    // In the same second or not: in each second the flooder leaves some.
    for (let i = 0; i < 5; i++) {
      await flood((each) => `v${each}.example.com`, 1000);
      await waitUntil('the flood has arrived', () => {
        const counters = service.counters();
        return counters['refused-access'] + counters['drop-access'] > i * 100;
      });
      const reply = await askUdp(port, encode('v1.example.com'), { from: '127.0.1.2' });
      assert.equal((dnsPacket.decode(reply) as Packet & { rcode?: string }).rcode, 'REFUSED');
    }
  });
});
