/** From a record of the access log to its line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accessLine } from '../../../src/net/access-line.ts';
import { createAccessWriter } from '../../../src/net/access-log.ts';
import { AccessFlag, AccessLevel } from '../../../src/net/access-record.ts';
import { type Connection, createConnection } from '../../../src/net/connection.ts';
import type { TcpCounters } from '../../../src/net/counters.ts';
import { type Exchange, keepTexts, takeExchange } from '../../../src/net/exchange.ts';
import { CLOSE, type Gate } from '../../../src/net/gate.ts';
import { encodeSocketAddress } from '../../../src/os/socket-address.ts';
import { createByteRing, createByteWriter } from '../../../src/runtime/byte-ring.ts';
import { createCounters } from '../../../src/runtime/counters.ts';
import { proxyCounterTable } from '../../../src/services/proxy/counters.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const NAMES = Object.keys(proxyCounterTable);
const counters = createCounters(proxyCounterTable);
const { index } = counters;
const GATE: Gate = { begin: null, route: null, accessLog: AccessLevel.all, serverFailed: () => CLOSE };

/** What a writer writes about a connection of 192.0.2.7:4711, accepted 1000 ms ago; its texts as in the ring. */
function linesOf(write: (connection: Connection, nowMs: number) => void, address = '192.0.2.7'): string[] {
  const ring = createByteRing(1 << 16);
  ring.want(true);
  const peer = encodeSocketAddress({ address: parseIpAddress(address)!, port: 4711 });
  const access = createAccessWriter(createByteWriter(ring.buffer), counters as unknown as TcpCounters, {
    copyPeer: (_fd, bytes, at) => bytes.set(peer, at),
    listenerOf: () => 'https',
  });
  const connection = createConnection(GATE, 5, 1000);
  write(connection, 2000);
  access.endConnection(connection, 2000);
  const lines: string[] = [];
  ring.drain((at) => void lines.push(accessLine('proxy', NAMES, ring, at)), 10);
  return lines;
}

function exchangeOf(connection: Connection, method: string, host: string, target: string): Exchange {
  const exchange = takeExchange(AccessLevel.all, 1500);
  const bytes = Buffer.from(method + host + target, 'latin1');
  const hostAt = method.length;
  const targetAt = hostAt + host.length;
  keepTexts(exchange, bytes, 0, hostAt, hostAt, targetAt, targetAt, bytes.length);
  connection.exchange = exchange;
  return exchange;
}

test('a request', () => {
  const [line] = linesOf((connection) => {
    const exchange = exchangeOf(connection, 'GET', 'example.com', '/a?b');
    Object.assign(exchange, { server: 'web', status: 200, isWhole: true, bytesUp: 3, bytesDown: 5e10 });
    Object.assign(exchange, { connectMs: 0, firstByteMs: 120 });
    exchange.flags |= AccessFlag.http11 | AccessFlag.reused;
  });
  const { time, connection, ...rest } = JSON.parse(line!) as Record<string, unknown>;
  assert.ok(Math.abs(Date.now() - Number(time)) < 60_000);
  assert.ok(Number(connection) > 0);
  assert.deepEqual(rest, {
    level: 30,
    log: 'access',
    msg: 'request',
    service: 'proxy',
    listener: 'https',
    client: '192.0.2.7',
    clientPort: 4711,
    server: 'web',
    method: 'GET',
    host: 'example.com',
    path: '/a',
    version: '1.1',
    status: 200,
    answeredBy: 'server',
    bytesUp: 3,
    bytesDown: 5e10,
    connectMs: 0,
    firstByteMs: 120,
    durationMs: 500,
    reused: true,
    retried: false,
    upgraded: false,
    reason: null,
  });
});

test('a connection', () => {
  const [line] = linesOf((connection) => {
    Object.assign(connection, { name: 'example.com', server: 'mail', reason: index['closed-idle'] });
    Object.assign(connection, { opened: true, connectMs: 7 });
    connection.up.totalBytes = 517;
    connection.down.totalBytes = 2 ** 33;
  }, '2001:db8::7');
  const { time: _time, connection: _connection, ...rest } = JSON.parse(line!) as Record<string, unknown>;
  assert.deepEqual(rest, {
    level: 30,
    log: 'access',
    msg: 'connection',
    service: 'proxy',
    listener: 'https',
    client: '2001:db8::7',
    clientPort: 4711,
    server: 'mail',
    name: 'example.com',
    bytesUp: 517,
    bytesDown: 2 ** 33,
    connectMs: 7,
    durationMs: 1000,
    reason: 'closed-idle',
  });
});

const ERRORS: readonly [title: string, isError: boolean, fields: Partial<Connection>][] = [
  ['ended in order', false, { opened: true, reason: index.closed }],
  ['reset', true, { opened: true, reason: index['closed-reset'] }],
  ['idle', true, { opened: true, reason: index['closed-idle'] }],
  ['refused', true, { openingBytes: 200, reason: index['refused-tls-unknown-name'] }],
  ['a server that refuses, before the client has spoken', true, { reason: index['server-refused'] }],
  ['ended after a part of a hello', true, { openingBytes: 5, reason: index['closed-early'] }],
  ['ended without a word', false, { reason: index['closed-early'] }],
  ['silent until the time-out', false, { reason: index['refused-timeout'] }],
];

for (const [title, isError, fields] of ERRORS) {
  test(`with "errors": ${title}: ${isError ? 'a line' : 'none'}`, () => {
    const lines = linesOf((connection) =>
      Object.assign(connection, fields, { accessLog: AccessLevel.errors }),
    );
    assert.equal(lines.length, isError ? 1 : 0);
  });
}

test('every byte of a client stays in its string', () => {
  const text = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 700 });
  fc.assert(
    fc.property(text, text, text, (...parts) => {
      const [method, host, path] = parts.map((part) => String.fromCharCode(...part)) as [
        string,
        string,
        string,
      ];
      const [line] = linesOf((connection) => void exchangeOf(connection, method, host, path));
      assert.match(line!, /^[ -~]+\n$/);
      const read = JSON.parse(line!) as Record<string, string | null>;
      const cut = (all: string, most: number) => (all.length > most ? `${all.slice(0, most)}…` : all) || null;
      assert.equal(read['method'], cut(method, 32));
      assert.equal(read['host'], cut(host, 255));
      assert.equal(read['path'], cut(path.split('?')[0]!, 512));
    }),
  );
});
