/** The engine at its limits: one client takes everything, and another is still served. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import {
  type Admission,
  createOwnAdmission,
  enter,
  leave,
  leaveOpenings,
  mayAccept,
  openingInTheWay,
} from '../../../src/net/admission.ts';
import { OPENING_UNIT_BYTES } from '../../../src/net/admission-memory.ts';
import { type Connection, createConnection } from '../../../src/net/connection.ts';
import { CLOSE } from '../../../src/net/gate.ts';
import { clientAt } from '../../../src/net/client.ts';
import { startTcpPlane } from '../../../src/net/tcp-plane.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { proxyCounterTable } from '../../../src/services/proxy/counters.ts';
import { planProxy } from '../../../src/services/proxy/service.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { Cleanup, MAPPED, NOBODY, freePort, hostAt, receive } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const gate = { begin: null, route: null, serverFailed: () => CLOSE };
const clientNamed = (text: string) => clientAt(parseIpAddress(text)!);

/** A connection of the client, silent since `sinceMs`; closes the connection that must give way. Undefined if it is refused. */
function arrive(admission: Admission, from: string, sinceMs = 0): Connection | undefined {
  const client = clientNamed(from);
  const connection = createConnection(gate, 0, sinceMs);
  if (!enter(admission, connection, client, sinceMs)) return undefined;
  const other = admission.displaced;
  if (other !== undefined) {
    leaveOpenings(admission, other);
    leave(admission, other);
  }
  return connection;
}

describe('which connection gives way', () => {
  test('opening connections give way before connections in use: those of the greediest client first, the oldest first', () => {
    const admission = createOwnAdmission(8, 1);
    const used = [1, 2, 3, 4].map(() => arrive(admission, '192.0.2.1')!);
    for (const each of used) leaveOpenings(admission, each);
    const silent = [1, 2, 3].map(() => arrive(admission, '192.0.2.2')!);
    const good = arrive(admission, '192.0.2.3')!;
    leaveOpenings(admission, good);
    assert.ok(arrive(admission, '192.0.2.4') !== undefined);
    assert.deepEqual(
      silent.map(({ slot }) => slot !== 0),
      [false, true, true],
    );
    assert.ok(used.every(({ slot }) => slot !== 0) && good.slot !== 0);
    // The two remaining openings and the newcomer's: no client has two more than another.
    arrive(admission, '192.0.2.5');
    assert.deepEqual(
      silent.map(({ slot }) => slot !== 0),
      [false, false, true],
    );
  });

  test('of the connections in use, the one of the greediest client that has been silent for longest gives way', () => {
    const admission = createOwnAdmission(4, 1);
    const used = [500, 100, 900].map((sinceMs) => arrive(admission, '2001:db8::1', sinceMs)!);
    used.push(arrive(admission, '192.0.2.9')!);
    for (const each of used) leaveOpenings(admission, each);
    // Another address of the same /64 is the same client.
    assert.equal(arrive(admission, '2001:db8::2', 1000), undefined);
    assert.ok(arrive(admission, '2001:db8:0:1::1', 1000) !== undefined);
    assert.deepEqual(
      used.map(({ slot }) => slot !== 0),
      [true, false, true, true],
    );
  });

  test('if all clients have the same number, new connections wait', () => {
    const admission = createOwnAdmission(3, 1);
    for (let i = 1; i <= 3; i++) leaveOpenings(admission, arrive(admission, `192.0.2.${i}`)!);
    assert.equal(mayAccept(admission), false);
  });

  test('long openings of one client take no room from those of another, long or short', () => {
    const admission = createOwnAdmission(2000, 1);
    let refused = 0;
    const send = (connection: Connection, bytes: number): boolean => {
      connection.openingBytes += bytes;
      for (;;) {
        const other = openingInTheWay(admission, connection);
        if (other === undefined) return true;
        leaveOpenings(admission, other);
        leave(admission, other);
        refused++;
        if (other === connection) return false;
      }
    };
    const good = arrive(admission, '192.0.2.2')!;
    assert.ok(send(good, 30_000));
    for (let i = 0; i < 3000; i++) {
      const connection = arrive(admission, '192.0.2.1');
      if (connection !== undefined) send(connection, 60_000);
    }
    assert.ok(refused > 1000);
    assert.ok(send(good, 30_000), 'the opening continues');
    const another = arrive(admission, '192.0.2.3')!;
    assert.ok(send(another, 60_000));
    assert.ok(good.slot !== 0 && another.slot !== 0);
    assert.ok(admission.memory.openings.usedUnits * OPENING_UNIT_BYTES <= 40 * 1024 * 1024);
  });
});

test('a flood of silent connections of one client: others are served by the proxy', async () => {
  await using cleanup = new Cleanup();
  const port = await freePort();
  await cleanup.listen((socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'),
    );
  }, port);
  const options = {
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [{ name: 'http', port, protocol: 'http' as const }],
      ...MAPPED,
      handshakeTimeoutMs: 60_000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    },
    hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['http'] })],
  };
  const plan = planProxy(options, []);
  const plane = cleanup.use(
    await startTcpPlane(
      {
        name: 'proxy',
        entry: new URL('../../../src/services/proxy/worker.ts', import.meta.url),
        counterTable: proxyCounterTable,
        maxConnections: 64,
        descriptorShare: 1,
        log: silentLog,
        ourselves: NOBODY,
      },
      plan,
    ),
  );
  let ended = 0;
  /** A silent connection of the attacker, which reconnects whenever it is closed. */
  const attack = () => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.66' });
    socket.on('error', () => {});
    socket.on('close', () => void ended++);
    cleanup.defer(() => void socket.destroy());
  };
  for (let i = 0; i < 300; i++) attack();
  await waitUntil('the limit is reached', () => Number(plane.counters()['refused-share']) > 100);
  await waitUntil('the status reports this from 90 % on', () => plane.limits()[0].used === 64);
  for (let host = 2; host < 22; host++) {
    for (let i = 0; i < 5; i++) attack();
    const client = await cleanup.connect(port, { localAddress: `127.0.0.${host}` });
    client.end('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    const { bytes } = await receive(client);
    assert.match(bytes.toString(), /^HTTP\/1\.1 200 OK/, `client ${host}`);
  }
  assert.ok(Number(plane.counters().displaced) > 0 && ended > 100);
});
