/** A loop without its engine: the test passes connections to the phases, sockets are real ones on loopback, time is a number. */
import assert from 'node:assert/strict';
import { waitUntil } from '../../../lab/wait.ts';
import { createOwnAdmission } from '../../../src/net/admission.ts';
import { admit } from '../../../src/net/admit.ts';
import { onDialEvents } from '../../../src/net/dialling.ts';
import { clientAt } from '../../../src/net/client.ts';
import { createCloser } from '../../../src/net/closing.ts';
import type { Connection } from '../../../src/net/connection.ts';
import type { TcpCounters } from '../../../src/net/counters.ts';
import { CLOSE, type Gate, type Route, type Verdict } from '../../../src/net/gate.ts';
import { createHolders, createHoldersBuffer } from '../../../src/net/holders.ts';
import { createHostCounters, createHostSlots } from '../../../src/net/host-slots.ts';
import { openListener } from '../../../src/net/listen.ts';
import { type Loop, createLoop } from '../../../src/net/loop.ts';
import { createPipePool } from '../../../src/net/pipe-pool.ts';
import { FdLedger } from '../../../src/os/fd-ledger.ts';
import {
  AF_INET,
  E,
  EPOLLOUT,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  accept4,
  close,
  connect,
  errno,
  pinned,
  read,
  setsockopt,
  socket,
  write,
} from '../../../src/os/libc.ts';
import { encodeSocketAddress } from '../../../src/os/socket-address.ts';
import { createCounters } from '../../../src/runtime/counters.ts';
import { forwardCounterTable } from '../../../src/services/forward/counters.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { freePort } from './support.ts';

/** The timeout of a read. The peer's writes must accept all data, so its socket is a blocking one. */
const SO_RCVTIMEO = 20;
const ONE_MILLISECOND = pinned(16);
new DataView(ONE_MILLISECOND.buffer).setBigInt64(8, 1000n, true);

const LOOPBACK = parseIpAddress('127.0.0.1')!;

export interface TestLoop extends Disposable {
  readonly loop: Loop;
  /** A route to a listening server, and one to a port without a server. */
  readonly route: Route;
  readonly nobody: Route;
  /** The counters that are not 0. */
  counted(): Record<string, number>;
  /** The events of connections: number of the event, and of its connection. */
  readonly events: string[];
  /** Changes of what is watched: descriptor and events. */
  readonly changes: string[];
  /** A client that is admitted through the gate, and its connection, unless that has already ended. */
  arrive(gate: Gate, from?: string): { readonly peer: number; readonly connection: Connection | undefined };
  /** The server's end of the oldest connection that the server has not accepted yet. */
  serve(): Promise<number>;
  /** All data that arrives at a peer, up to `length` or its end: then followed by ".", or by "!" after a reset. */
  hear(peer: number, length: number): Promise<string>;
  say(peer: number, text: string): void;
}

/** A gate without a route. */
export const gateOf = (changes: Partial<Gate>): Gate => ({
  begin: null,
  route: null,
  serverFailed: () => CLOSE,
  ...changes,
});

/** A gate that judges all data received so far. */
export const judging = (judge: (said: string) => Verdict, changes: Partial<Gate> = {}): Gate =>
  gateOf({
    begin: () => {
      let said = '';
      return {
        push: (chunk) => judge((said += Buffer.from(chunk).toString())),
        timedOut: () => ({ counter: -1, answer: Buffer.from('late'), reset: false }),
      };
    },
    ...changes,
  });

export async function createTestLoop(maxConnections = 8): Promise<TestLoop> {
  const ledger = new FdLedger();
  const peers: number[] = [];
  const counters = createCounters(forwardCounterTable);
  const counterNames = Object.keys(forwardCounterTable);
  const events: string[] = [];
  const changes: string[] = [];
  const [entrance, server, nobody] = [await freePort(), await freePort(), await freePort()];
  const listen = (port: number) => openListener({ name: 'test', address: LOOPBACK, port }, false).fd;
  const listeners = { entrance: listen(entrance), server: listen(server) };
  const routeTo = (port: number): Route => ({
    server: 'web1',
    serverAddress: encodeSocketAddress({ address: LOOPBACK, port }),
    preamble: null,
  });
  const loop = createLoop({
    // The tests pass the events.
    epoll: {
      add: () => true,
      change: (fd, events) => void changes.push(`${fd} ${events}`),
      remove: () => {},
      wait: () => 0,
      fdAt: () => -1,
      eventsAt: () => 0,
    },
    ledger,
    closer: createCloser(ledger),
    pipes: createPipePool(ledger, maxConnections),
    counters: counters as unknown as TcpCounters,
    hosts: createHostCounters(createHostSlots().buffer),
    events: {
      keepPeer: () => {},
      peerOf: () => undefined,
      copyPeer: () => {},
      listenerOf: () => '',
      nameGate: () => {},
      record: (kind, { number }) => void events.push(`${kind} ${number}`),
      recordLimited: (_gate, _fd, reason) => void events.push(`limited ${counterNames[reason]}`),
    },
    admission: createOwnAdmission(maxConnections, 1),
    holders: createHolders(createHoldersBuffer()),
  });
  const accept = (listener: number) => ledger.add(accept4(listener, null, null, SOCK_NONBLOCK));
  const chunk = pinned(65_536);

  return {
    loop,
    route: routeTo(server),
    nobody: routeTo(nobody),
    events,
    changes,
    counted: () =>
      Object.fromEntries(
        Object.entries(counters.index).flatMap(([name, at]) =>
          counters.values[at] === 0 ? [] : [[name, counters.values[at]]],
        ),
      ),
    arrive(gate, from = '192.0.2.1') {
      const peer = socket(AF_INET, SOCK_STREAM, 0);
      const address = encodeSocketAddress({ address: LOOPBACK, port: entrance });
      assert.equal(connect(peer, address, address.length), 0);
      setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, ONE_MILLISECOND, 16);
      peers.push(peer);
      const fd = accept(listeners.entrance);
      assert.ok(fd >= 0);
      admit(loop, fd, gate, clientAt(parseIpAddress(from)!), listeners.entrance);
      return { peer, connection: loop.halves[fd]?.connection };
    },
    async serve() {
      const fd = await waitUntil('the server is dialled', () => {
        const accepted = accept4(listeners.server, null, null, SOCK_NONBLOCK);
        return accepted >= 0 ? accepted : undefined;
      });
      peers.push(fd);
      return fd;
    },
    async hear(peer, length) {
      let heard = '';
      await waitUntil(`${length} bytes`, () => {
        loop.closer.turn(loop.nowMs);
        if (heard.length >= length && length > 0) return true;
        const taken = read(peer, chunk, chunk.length);
        if (taken > 0) heard += Buffer.from(chunk.subarray(0, taken)).toString();
        else if (taken === 0) heard += '.';
        else if (errno() === E.ECONNRESET) heard += '!';
        return taken === 0 || (taken < 0 && errno() !== E.EAGAIN) || (length > 0 && heard.length >= length);
      });
      return heard;
    },
    say: (peer, text) => assert.equal(write(peer, Buffer.from(text), text.length), text.length),
    [Symbol.dispose]() {
      loop.closer.turn(loop.nowMs);
      for (const fd of [...peers, ...Object.values(listeners)]) close(fd);
      ledger.closeAll();
    },
  };
}

/** A connection whose server has accepted: the connection, the client's end, the server's end. */
export async function relaying(world: TestLoop, changes: Partial<Route> = {}) {
  const route = { ...world.route, ...changes };
  const { peer, connection } = world.arrive(gateOf({ route, serverFailed: () => CLOSE }));
  const server = await world.serve();
  onDialEvents(world.loop, connection!, EPOLLOUT);
  return { connection: connection!, peer, server };
}
