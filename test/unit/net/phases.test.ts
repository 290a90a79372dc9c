/** Each phase of a connection alone: its effect on a connection that is passed to it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitUntil } from '../../../lab/wait.ts';
import { type Connection, Phase } from '../../../src/net/connection.ts';
import { dispatch } from '../../../src/net/connections.ts';
import { scanDeadlines } from '../../../src/net/deadlines.ts';
import { onClientEvents, onDialEvents, startDial } from '../../../src/net/dialling.ts';
import { unsentBytes } from '../../../src/net/unsent.ts';
import { LINGER_BYTES, abort, linger } from '../../../src/net/ending.ts';
import { TcpEvent } from '../../../src/net/events.ts';
import { CLOSE, MORE, RESET, type Route } from '../../../src/net/gate.ts';
import { hold, release, unhold } from '../../../src/net/holding.ts';
import { EDGES } from '../../../src/net/loop.ts';
import { onOpeningEvents } from '../../../src/net/opening.ts';
import { onRelayEvents, runQueued } from '../../../src/net/relaying.ts';
import { socketError } from '../../../src/os/socket-error.ts';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  IPPROTO_TCP,
  SHUT_WR,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_LINGER,
  TCP_INFO,
  close,
  getsockopt,
  int32,
  pinned,
  setsockopt,
  shutdown,
  write,
} from '../../../src/os/libc.ts';
import { compileOurselves } from '../../../src/os/ourselves.ts';
import { parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { type TestLoop, createTestLoop, gateOf, judging } from './loop.ts';

const bytes = (text: string) => Buffer.from(text);

/** struct linger { on, 0 seconds }. */
const RESET_AT_CLOSE = pinned(8);
RESET_AT_CLOSE[0] = 1;

const TCP_CLOSE_WAIT = 8;

/** Whether the peer's FIN, and so everything before it, has arrived. */
function hasFin(fd: number): boolean {
  const state = pinned(1);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, state, int32(1)) === 0 && state[0] === TCP_CLOSE_WAIT;
}

/** A connection whose server has accepted: the connection, the client's end, the server's end. */
async function relaying(world: TestLoop, changes: Partial<Route> = {}) {
  const route = { ...world.route, ...changes };
  const { peer, connection } = world.arrive(gateOf({ route, serverFailed: () => CLOSE }));
  const server = await world.serve();
  onDialEvents(world.loop, connection!, EPOLLOUT);
  return { connection: connection!, peer, server };
}

/** Reports this half as readable, until its data has been read. */
const readUntil = (world: TestLoop, half: Connection['up'], holds: () => boolean) =>
  waitUntil('it is read', () => {
    if (half.connection.phase === Phase.relaying) onRelayEvents(world.loop, half, EPOLLIN);
    return holds();
  });

describe('admitted', () => {
  test('a gate with a route dials at once; one without reads first', async () => {
    using world = await createTestLoop();
    const direct = world.arrive(gateOf({ route: world.route })).connection!;
    const asking = world.arrive(judging(() => MORE)).connection!;
    assert.deepEqual([direct.phase, asking.phase], [Phase.dialing, Phase.opening]);
    assert.deepEqual([world.loop.open, world.loop.openings], [2, 2]);
  });

  test('at the limit the client with the most connections gives way; a client with as many as any other is refused', async () => {
    using world = await createTestLoop(3);
    const gate = judging(() => MORE);
    const first = world.arrive(gate, '192.0.2.1').connection!;
    world.arrive(gate, '192.0.2.1');
    world.arrive(gate, '192.0.2.1');
    const other = world.arrive(gate, '192.0.2.2').connection!;
    assert.deepEqual([first.phase, other.phase], [Phase.closed, Phase.opening]);
    assert.equal(world.arrive(gate, '192.0.2.1').connection, undefined);
    assert.deepEqual(world.counted(), { displaced: 1, 'refused-share': 1 });
    assert.equal(world.loop.open, 3);
  });
});

describe('opening', () => {
  test('the gate gets the bytes as they arrive, and its route is dialled', async () => {
    using world = await createTestLoop();
    const { values, index } = world.loop;
    const heard: string[] = [];
    const gate = judging((said) => {
      heard.push(said);
      if (said !== 'to web1') return MORE;
      return { kind: 'route', route: world.route, counter: index.accepted, name: 'www' };
    });
    const { peer, connection } = world.arrive(gate);
    for (const text of ['to ', 'web1']) {
      world.say(peer, text);
      const before = heard.length;
      await waitUntil('it is heard', () => {
        onOpeningEvents(world.loop, connection!, EPOLLIN);
        return heard.length > before;
      });
    }
    assert.deepEqual(heard, ['to ', 'to web1']);
    assert.deepEqual([connection!.phase, connection!.name], [Phase.dialing, 'www']);
    assert.deepEqual([values[index.accepted], connection!.openingBytes], [1, 7]);
  });

  test('a refusal is answered, and the connection lingers', async () => {
    using world = await createTestLoop();
    const refusal = { counter: world.loop.index['refused-memory'], answer: bytes('no'), reset: false };
    const { peer, connection } = world.arrive(judging(() => ({ kind: 'refuse', refusal, name: 'x' })));
    world.say(peer, 'hello');
    await waitUntil('it is judged', () => {
      dispatch(world.loop, connection!.up.from, EPOLLIN);
      return connection!.phase === Phase.lingering;
    });
    assert.equal(await world.hear(peer, 3), 'no.');
    assert.deepEqual(world.events, [`${TcpEvent.refused} ${connection!.number}`]);
    assert.equal(world.loop.openings, 0);
  });

  test('a client that ends before it has sent enough', async () => {
    using world = await createTestLoop();
    const { peer, connection } = world.arrive(judging(() => MORE));
    shutdown(peer, SHUT_WR);
    await waitUntil('it is noticed', () => {
      onOpeningEvents(world.loop, connection!, EPOLLIN | EPOLLRDHUP);
      return connection!.phase === Phase.closed;
    });
    assert.deepEqual(world.counted(), { 'closed-early': 1 });
    assert.equal(world.loop.open, 0);
  });
});

describe('dialling', () => {
  test('no listener: the gate chooses the answer to the client', async () => {
    using world = await createTestLoop();
    const serverFailed = () => ({ counter: -1, answer: bytes('502'), reset: false });
    const { peer, connection } = world.arrive(gateOf({ route: world.nobody, serverFailed }));
    // The kernel may refuse at once, or report it by an event.
    if (connection?.phase === Phase.dialing) onDialEvents(world.loop, connection, EPOLLERR | EPOLLHUP);
    assert.equal(await world.hear(peer, 4), '502.');
    assert.deepEqual(world.counted(), { 'server-refused': 1 });
  });

  test('an own address is not dialled', async () => {
    using world = await createTestLoop();
    world.loop.ourselves = { own: [], rows: ownLoopback() };
    const { peer } = world.arrive(gateOf({ route: world.route, serverFailed: () => RESET }));
    assert.equal(await world.hear(peer, 1), '!');
    assert.deepEqual(world.counted(), { 'server-ourselves': 1 });
  });

  test('the client disconnects meanwhile: the dial is given up', async () => {
    using world = await createTestLoop();
    const { connection } = world.arrive(gateOf({ route: world.route }));
    onClientEvents(world.loop, connection!, EPOLLIN);
    assert.deepEqual([connection!.phase, connection!.up.readable], [Phase.dialing, true]);
    onClientEvents(world.loop, connection!, EPOLLHUP);
    assert.equal(connection!.phase, Phase.closed);
    assert.deepEqual(world.counted(), { 'closed-early': 1 });
  });

  test('a connection counts for its server while it is open', async () => {
    using world = await createTestLoop();
    const { connection } = world.arrive(judging(() => MORE));
    startDial(world.loop, connection!, world.route);
    assert.deepEqual([...world.loop.hosts.values.subarray(0, 4)], [0, 0, 1, 1]);
    abort(world.loop, connection!, world.loop.index.displaced);
    assert.deepEqual([...world.loop.hosts.values.subarray(0, 4)], [0, 0, 1, 0]);
  });
});

describe('relaying', () => {
  test('the preamble goes first, bytes pass in both directions, and an end is passed on', async () => {
    using world = await createTestLoop();
    const { connection, peer, server } = await relaying(world, { preamble: bytes('PROXY ') });
    const { up, down } = connection;
    world.say(peer, 'question');
    await readUntil(world, up, () => up.totalBytes === 8);
    assert.equal(await world.hear(server, 14), 'PROXY question');
    world.say(server, 'answer');
    await readUntil(world, down, () => down.totalBytes === 6);
    shutdown(peer, SHUT_WR);
    await readUntil(world, up, () => up.finished);
    assert.equal(await world.hear(server, 1), '.');
    assert.equal(connection.phase, Phase.relaying, 'the other direction is open');
    shutdown(server, SHUT_WR);
    await readUntil(world, down, () => connection.phase === Phase.closed);
    assert.equal(await world.hear(peer, 7), 'answer.');
    assert.deepEqual(world.counted(), { 'bytes-up': 8, 'bytes-down': 6, closed: 1 });
    const { number } = connection;
    assert.deepEqual(world.events, [`${TcpEvent.opened} ${number}`, `${TcpEvent.closed} ${number}`]);
  });

  test('bytes and a FIN that come together pass with one event, without a read that only finds the end', async () => {
    using world = await createTestLoop();
    const { connection, peer, server } = await relaying(world);
    const { up } = connection;
    world.say(peer, 'bye');
    shutdown(peer, SHUT_WR);
    await waitUntil('both are there', () => {
      // A read that finds bytes says nothing about a FIN that the events have not reported.
      assert.equal(up.ended, false);
      return hasFin(up.from);
    });
    onRelayEvents(world.loop, up, EPOLLIN | EPOLLRDHUP);
    assert.deepEqual([up.totalBytes, up.ended, up.finished, up.exhaustive], [3, true, true, false]);
    assert.equal(await world.hear(server, 4), 'bye.');
    assert.equal(connection.phase, Phase.relaying, 'the other direction is open');
  });

  test('a client is watched for room when it has none for the first time', async () => {
    using world = await createTestLoop();
    const { connection, peer, server } = await relaying(world);
    const { up, down } = connection;
    assert.deepEqual([up.isWatched, down.isWatched, world.changes], [true, false, []]);
    const block = 'x'.repeat(65_536);
    let said = 0;
    await waitUntil('the client takes no more', () => {
      if (down.writable) world.say(server, block);
      if (down.writable) said += block.length;
      onRelayEvents(world.loop, down, EPOLLIN);
      return !down.writable;
    });
    assert.deepEqual([down.isWatched, world.changes], [true, [`${up.from} ${EDGES}`]]);
    let heard = 0;
    await waitUntil('it has read everything', async () => {
      heard += (await world.hear(peer, 1)).length;
      onRelayEvents(world.loop, up, EPOLLOUT);
      onRelayEvents(world.loop, down, EPOLLIN);
      return heard === said;
    });
    assert.deepEqual(world.changes, [`${up.from} ${EDGES}`]);
  });

  test('a side that was reset is closed without questions, the other by a reset', async () => {
    using world = await createTestLoop();
    const { connection, peer, server } = await relaying(world);
    setsockopt(server, SOL_SOCKET, SO_LINGER, RESET_AT_CLOSE, 8);
    close(server);
    await waitUntil('the reset is there', () => socketError(connection.down.from) !== 0);
    const before = world.loop.closer.looks;
    onRelayEvents(world.loop, connection.down, EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    assert.deepEqual([connection.down.dead, connection.up.dead], [true, false]);
    assert.equal(world.loop.closer.looks - before, 1, "only the client's send queue");
    assert.equal(await world.hear(peer, 1), '!');
    assert.deepEqual(world.counted(), { 'closed-reset': 1 });
  });

  test('a half that has used up its share continues in its turn', async () => {
    using world = await createTestLoop();
    const { connection } = await relaying(world);
    const { up } = connection;
    up.queued = true;
    world.loop.queued.push(up);
    runQueued(world.loop);
    assert.deepEqual([up.queued, world.loop.queued], [false, []]);
  });
});

describe('ending', () => {
  test('an abort resets both sides, and releases the held bytes', async () => {
    using world = await createTestLoop();
    const { connection, peer, server } = await relaying(world);
    hold(world.loop, connection.up, bytes('unsent'));
    assert.equal(world.loop.heldBytes, 6);
    abort(world.loop, connection, world.loop.index.displaced);
    assert.deepEqual([await world.hear(peer, 1), await world.hear(server, 1)], ['!', '!']);
    assert.deepEqual([world.loop.heldBytes, world.loop.open], [0, 0]);
    abort(world.loop, connection, world.loop.index.displaced);
    assert.equal(world.loop.open, 0, 'once');
  });

  test('a lingering client may send a limited amount; then the socket is closed', async () => {
    using world = await createTestLoop();
    const { connection, peer } = await relaying(world);
    linger(world.loop, connection);
    assert.equal(world.loop.open, 1);
    const block = 'x'.repeat(65_536);
    world.say(peer, block);
    await waitUntil('it is discarded', () => {
      dispatch(world.loop, connection.up.from, EPOLLIN);
      return (world.counted()['bytes-discarded'] ?? 0) >= block.length;
    });
    assert.equal(connection.phase, Phase.lingering);
    connection.openingBytes = LINGER_BYTES - 1;
    world.say(peer, 'xx');
    await waitUntil('it is closed', () => {
      dispatch(world.loop, connection.up.from, EPOLLIN);
      return connection.phase === Phase.closed;
    });
    assert.equal(world.loop.open, 0);
  });

  test('held bytes stay in order, and are counted once', async () => {
    using world = await createTestLoop();
    const { connection } = await relaying(world);
    const { up } = connection;
    hold(world.loop, up, bytes('abc'));
    hold(world.loop, up, bytes('def'));
    hold(world.loop, up, null);
    unhold(world.loop, up, 2);
    assert.deepEqual([Buffer.from(up.held!).toString(), world.loop.heldBytes], ['cdef', 4]);
    unhold(world.loop, up, 4);
    assert.deepEqual([up.held, world.loop.heldBytes], [null, 0]);
    hold(world.loop, up, bytes('g'));
    release(world.loop, up);
    assert.deepEqual([up.held, world.loop.heldBytes], [null, 0]);
  });
});

describe('deadlines', () => {
  const LIMITS = { handshakeTimeoutMs: 5000, idleTimeoutMs: 60_000, halfClosedTimeoutMs: 50_000 };
  const at = (world: TestLoop, nowMs: number) => {
    world.loop.nowMs = nowMs;
    scanDeadlines(world.loop, LIMITS);
  };

  test('a client that stops sending gets an answer, and does not linger for ever', async () => {
    using world = await createTestLoop();
    const { peer, connection } = world.arrive(judging(() => MORE));
    world.say(peer, 'x');
    await waitUntil('it is read', () => {
      onOpeningEvents(world.loop, connection!, EPOLLIN);
      return connection!.openingBytes > 0;
    });
    at(world, 4999);
    assert.equal(connection!.phase, Phase.opening);
    at(world, 5000);
    assert.equal(connection!.phase, Phase.lingering);
    assert.equal(await world.hear(peer, 5), 'late.');
    at(world, 6999);
    assert.equal(connection!.phase, Phase.lingering);
    await waitUntil('the client has acknowledged everything', () => {
      at(world, 7000);
      return connection!.phase === Phase.closed;
    });
    assert.deepEqual(world.counted(), { 'refused-timeout': 1 });
  });

  test('a client that reads slowly keeps its socket as long as it reads', async () => {
    using world = await createTestLoop();
    const { connection, peer } = await relaying(world);
    const block = Buffer.alloc(65_536, 'x');
    let sent = 0;
    for (let more = 1; more > 0; sent += Math.max(more, 0))
      more = write(connection.up.from, block, block.length);
    linger(world.loop, connection);
    at(world, 2000);
    assert.equal(connection.phase, Phase.lingering);
    at(world, 25_000);
    const before = unsentBytes(connection.up.from);
    let heard = (await world.hear(peer, 1)).length;
    await waitUntil('the client has acknowledged more', async () => {
      heard += (await world.hear(peer, 1)).length;
      return unsentBytes(connection.up.from) < before;
    });
    assert.ok(heard < sent);
    at(world, 31_000);
    assert.equal(connection.phase, Phase.lingering);
    at(world, 61_000);
    assert.equal(connection.phase, Phase.closed);
  });

  test('a server that does not accept, by a clock that wraps', async () => {
    using world = await createTestLoop();
    world.loop.nowMs = 0x7fff_fff0;
    const { connection } = world.arrive(gateOf({ route: world.route, serverFailed: () => RESET }));
    at(world, (0x7fff_fff0 + 4999) | 0);
    assert.equal(connection!.phase, Phase.dialing);
    at(world, (0x7fff_fff0 + 5000) | 0);
    assert.deepEqual(world.counted(), { 'server-timeout': 1 });
  });

  test('half closed and silent: probed once; silent for longer: closed', async () => {
    using world = await createTestLoop();
    const { connection } = await relaying(world);
    connection.up.ending = true;
    at(world, 9999);
    assert.equal(connection.isAsked, false);
    at(world, 10_000);
    assert.equal(connection.isAsked, true);
    at(world, 59_999);
    assert.equal(connection.phase, Phase.relaying);
    at(world, 60_000);
    assert.equal(connection.phase, Phase.closed);
    assert.deepEqual(world.counted(), { 'closed-idle': 1 });
  });

  test('one side has ended and the other one sends nothing: closed; what it sends renews the time', async () => {
    using world = await createTestLoop();
    const { connection, peer, server } = await relaying(world);
    world.loop.nowMs = 20_000; // it was silent before
    shutdown(peer, SHUT_WR);
    await readUntil(world, connection.up, () => connection.up.finished);
    assert.equal(await world.hear(server, 1), '.');
    world.loop.nowMs = 69_999;
    at(world, 69_999);
    assert.equal(connection.phase, Phase.relaying);
    world.say(server, 'more');
    await readUntil(world, connection.down, () => connection.down.totalBytes === 4);
    assert.equal(await world.hear(peer, 4), 'more');
    at(world, 69_999 + 49_999);
    assert.equal(connection.phase, Phase.relaying);
    at(world, 69_999 + 50_000);
    assert.equal(connection.phase, Phase.closed);
    assert.deepEqual(world.counted(), { 'bytes-down': 4, 'closed-half-closed': 1 });
  });

  test('after a silent minute the kernel probes the server', async () => {
    using world = await createTestLoop();
    const { connection } = await relaying(world);
    const probes = (fd: number) => {
      const on = int32(0);
      assert.equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, on, int32(4)), 0);
      return on[0];
    };
    at(world, 40_000);
    assert.equal(probes(connection.down.from), 0);
    connection.sinceMs = 0;
    scanDeadlines(Object.assign(world.loop, { nowMs: 60_000 }), { ...LIMITS, idleTimeoutMs: 0 });
    assert.equal(probes(connection.down.from), 1);
  });
});

test('events of a descriptor without a connection are left to others', async () => {
  using world = await createTestLoop();
  assert.equal(dispatch(world.loop, 9999, EPOLLIN), false);
});

/** 127.0.0.0/8 as the addresses of this machine. */
const ownLoopback = () => compileOurselves([parseIpPrefix('127.0.0.0/8')!], []).rows;
