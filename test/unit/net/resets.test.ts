/** Resets: a socket whose peer is gone is closed at once, and the cost of checking waiting sockets does not grow with their number. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { LOOKS_PER_POLL, RESET_POLL_MS, createCloser } from '../../../src/net/closing.ts';
import { createOwnAdmission } from '../../../src/net/admission.ts';
import { createTcpEngine } from '../../../src/net/engine.ts';
import { createTcpEventRing, createTcpEvents } from '../../../src/net/events.ts';
import { RESET } from '../../../src/net/gate.ts';
import { createHolders, createHoldersBuffer } from '../../../src/net/holders.ts';
import { createHostCounters, createHostSlots } from '../../../src/net/host-slots.ts';
import { tcpGaugeTable } from '../../../src/net/counters.ts';
import { openListener } from '../../../src/net/listen.ts';
import { FdLedger } from '../../../src/os/fd-ledger.ts';
import {
  AF_INET,
  EFD_NONBLOCK,
  EPOLLHUP,
  EPOLLIN,
  SIOCOUTQ,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  accept4,
  close,
  connect as connectFd,
  eventfd,
  ioctl,
  pinned,
  setsockopt,
  socket,
  write,
} from '../../../src/os/libc.ts';
import { encodeSocketAddress } from '../../../src/os/socket-address.ts';
import { createCounters } from '../../../src/runtime/counters.ts';
import { forwardCounterTable } from '../../../src/services/forward/counters.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { Cleanup, LIMITS, NOBODY, freePort, patternBytes } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const LOOPBACK4 = parseIpAddress('127.0.0.1')!;
const LOOPBACK6 = parseIpAddress('::1')!;
const PATIENCE_MS = 60_000;

/** Pairs of connected sockets; ours has sent more than the peer's closed window accepts. */
async function stalledPairs(cleanup: Cleanup, count: number) {
  const address = { address: LOOPBACK4, port: await freePort() };
  const listener = openListener({ name: 'test', ...address }, false);
  cleanup.defer(() => void close(listener.fd));
  const block = pinned(1 << 20);
  return Array.from({ length: count }, () => {
    const peer = socket(AF_INET, SOCK_STREAM, 0);
    const name = encodeSocketAddress(address);
    assert.equal(connectFd(peer, name, name.length), 0);
    const ours = accept4(listener.fd, null, null, SOCK_NONBLOCK);
    while (write(ours, block, block.length) > 0);
    return { ours, peer };
  });
}

const isOpen = (fd: number): boolean => ioctl(fd, SIOCOUTQ, pinned(4)) === 0;

test('waiting for send queues: a limited number of checks at a time, none in between, and none for closed peers', async () => {
  await using cleanup = new Cleanup();
  const pairs = await stalledPairs(cleanup, 3 * LOOKS_PER_POLL);
  const ledger = new FdLedger();
  for (const { ours } of pairs) ledger.add(ours);
  const closer = createCloser(ledger);
  for (const { ours } of pairs) closer.reset(ours, 0);
  assert.deepEqual([closer.waiting, closer.looks], [pairs.length, pairs.length]);
  // Time is an argument: a turn that follows at once checks nothing.
  const looksAt = (nowMs: number) => {
    const before = closer.looks;
    closer.turn(nowMs);
    return closer.looks - before;
  };
  const seen = [1, RESET_POLL_MS, RESET_POLL_MS + 1, 2 * RESET_POLL_MS, 2 * RESET_POLL_MS + 9].map(looksAt);
  assert.deepEqual(seen, [0, LOOKS_PER_POLL, 0, LOOKS_PER_POLL, 0]);
  assert.equal(closer.waiting, pairs.length, 'the peers have not read');

  // The kernel reports that a peer is gone: its socket is closed in this turn, without a check.
  const [first, second, third] = pairs;
  assert.ok(closer.dispatch(first.ours, EPOLLIN | EPOLLHUP));
  assert.ok(closer.dispatch(second.ours, EPOLLIN), 'it is waited for, but alive');
  assert.equal(looksAt(2 * RESET_POLL_MS + 9), 0);
  assert.deepEqual([isOpen(first.ours), isOpen(second.ours)], [false, true]);
  assert.ok(!closer.dispatch(first.ours, EPOLLHUP), "the number is another socket's from now on");

  // Reset by the peer before it was queued: its send queue is not empty, but there is nothing to wait for.
  const [dead] = await stalledPairs(cleanup, 1);
  const reset = pinned(8);
  reset[0] = 1;
  setsockopt(dead.peer, SOL_SOCKET, SO_LINGER, reset, 8);
  close(dead.peer);
  ledger.add(dead.ours);
  const waiting = closer.waiting;
  closer.reset(dead.ours, 0);
  assert.equal(closer.waiting, waiting);

  // The wait is limited.
  for (let nowMs = 5000; closer.waiting > 0; nowMs += RESET_POLL_MS) {
    assert.ok(looksAt(nowMs) <= LOOKS_PER_POLL);
    assert.ok(nowMs < 6000);
  }
  assert.ok(!isOpen(third.ours));
  for (const { peer } of pairs) close(peer);
});

/** The engine in this thread, so that its turns can be counted: one port that leads to a server on [::1]. */
async function engineTo(cleanup: Cleanup, serverPort: number) {
  const port = await freePort();
  const ledger = new FdLedger();
  cleanup.defer(() => void ledger.closeAll());
  const listener = openListener({ name: 'test', address: LOOPBACK4, port }, false);
  cleanup.defer(() => void close(listener.fd));
  const counters = createCounters(forwardCounterTable);
  const gauges = createCounters(tcpGaugeTable);
  const engine = createTcpEngine({
    ledger,
    counters,
    gauges,
    hosts: createHostCounters(createHostSlots().buffer),
    events: createTcpEvents(createTcpEventRing().buffer),
    admission: createOwnAdmission(4096, 1),
    holders: createHolders(createHoldersBuffer()),
    wakeFd: ledger.add(eventfd(0, EFD_NONBLOCK)),
    onBrokenListener: (fd) => assert.fail(`listener ${fd}`),
  });
  const serverAddress = encodeSocketAddress({ address: LOOPBACK6, port: serverPort });
  const route = { server: 'a', serverAddress, preamble: null };
  engine.configure(
    { handshakeTimeoutMs: PATIENCE_MS, idleTimeoutMs: 0, ...LIMITS },
    new Map([[listener.fd, { begin: null, route, serverFailed: () => RESET }]]),
    NOBODY.current,
  );
  return { port, engine, open: () => gauges.values[gauges.index.connections] };
}

test('one client resets 1000 connections: no socket is left to be checked, and another connection continues', async () => {
  await using cleanup = new Cleanup();
  const BATCH = 100;
  const answer = patternBytes(200_000);
  const serverPort = await cleanup.listen((peer: Socket) => {
    peer.once('data', (chunk: Buffer) => {
      // "echo" is the other client; all others are sent much data, which they do not read.
      if (chunk[0] === 101) peer.pipe(peer);
      peer.write(chunk[0] === 101 ? chunk : answer);
    });
  });
  const { port, engine, open } = await engineTo(cleanup, serverPort);
  const turnUntil = (condition: () => boolean, what: string) =>
    waitUntil(
      what,
      async () => {
        engine.turn(0);
        await new Promise(setImmediate);
        return condition();
      },
      { timeoutMs: PATIENCE_MS },
    );
  const other = cleanup.open(port);
  let echoed = 0;
  other.on('data', (chunk) => (echoed += chunk.length));
  other.write('echo');
  await turnUntil(() => echoed === 4, 'the other client is served');

  for (let round = 1; round <= 10; round++) {
    const clients = Array.from({ length: BATCH }, () => {
      const client = connect({ host: '127.0.0.1', port });
      client.on('error', () => {}).on('connect', () => client.pause().write('x'));
      cleanup.defer(() => void client.destroy());
      return client;
    });
    let stalled = 0;
    await turnUntil(() => {
      stalled = clients.filter((client) => client.bytesWritten === 1).length;
      return open() === BATCH + 1 && stalled === BATCH;
    }, 'all are open');
    // The data is on its way to them, or waits for their window.
    for (let turn = 0; turn < 20; turn++) await turnUntil(() => true, '');
    for (const client of clients) client.resetAndDestroy();
    other.write('more');
    await turnUntil(() => open() === 1 && echoed === 4 + 4 * round, 'they are gone, the other is served');
    // Only server sockets can still be waiting, with one byte that the server has not read.
    await turnUntil(() => engine.closer.waiting === 0, 'nothing is waited for');
  }
  // Two sockets for each connection, each checked once or twice at its end; before the fix it was 45 times.
  assert.ok(
    engine.closer.looks <= 4 * 10 * BATCH,
    `${engine.closer.looks} checks for ${10 * BATCH} connections`,
  );
});
