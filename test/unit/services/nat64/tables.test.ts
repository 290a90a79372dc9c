/** BIB, sessions and timer wheel against plain maps. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { attachTables } from '../../../../src/services/nat64/tables/attach-tables.ts';
import { addBib, findBibByHost, findBibByMappedPort } from '../../../../src/services/nat64/tables/bib.ts';
import { type PortRequest, allocatePort } from '../../../../src/services/nat64/tables/pool4.ts';
import {
  addSession,
  findSession,
  removeSession,
  removeSessionsUnless,
  setExpiry,
} from '../../../../src/services/nat64/tables/sessions.ts';
import {
  BIB,
  CONTROL,
  RECORD_WORDS,
  type HostEndpoint,
  type SharedTables,
  type Tables,
  createSharedTables,
} from '../../../../src/services/nat64/tables/tables.ts';
import { SWEEP, sweepStep } from '../../../../src/services/nat64/tables/timer-wheel.ts';
import { pool } from './harness.ts';
import { seededRandom } from '../../../random.ts';
import { MAX_ADDRESSES } from '../../../../src/services/nat64/settings/pool.ts';

const OPTIONS = {
  isAddressDependent: false,
  clientPrefixBits: 128,
  poolAddresses: new Int32Array(MAX_ADDRESSES).fill(1, 0, 1),
  pools: [],
  portRestSeconds: 0,
};

/** A port of the first address, for a client without mappings; ports do not rest. */
const request = (
  protocol: number,
  hostPort: number,
  firstPort: number,
  lastPort: number,
  random: () => number,
): PortRequest => ({
  pools: [pool(0, firstPort, lastPort)],
  block: undefined,
  protocol,
  client: 0,
  clientHash: 0,
  hostPort,
  nowSeconds: 0,
  restSeconds: 0,
  keepsParity: true,
  keepsClass: true,
  random,
});

const sessionCount = (tables: Tables) => tables.control[CONTROL.SESSION_COUNT];
const bibCount = (tables: Tables) => tables.control[CONTROL.BIB_COUNT];

/** The identity of a session: few values, so that commands collide. */
const key = fc.record({
  protocol: fc.nat(2),
  host: fc.nat(3),
  hostPort: fc.constantFrom(1, 65_535),
  remote: fc.constantFrom(0x01020304, -1),
  remotePort: fc.constantFrom(0, 443, 65_535),
});
type Key = typeof key extends fc.Arbitrary<infer T> ? T : never;

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('packet' as const),
      key,
      lifetime: fc.constantFrom(5, 300, 7440),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      seconds: fc.constantFrom(1, 2, 6, 301, 8000, 9000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reattach' as const) }) },
);

const bibName = ({ protocol, host, hostPort }: Key) => `${protocol} ${host} ${hostPort}`;
const sessionName = (of: Key) => `${bibName(of)} ${of.remote} ${of.remotePort}`;

/** The next session whose lifetime is over, or 0. */
function nextExpired(tables: Tables, nowSeconds: number): number {
  for (;;) {
    const index = sweepStep(tables, nowSeconds);
    if (index !== SWEEP.more) return index;
  }
}

/** A port of a host whose address begins with `word0`. */
const endpoint = (protocol: number, word0: number, hostPort: number): HostEndpoint => ({
  protocol,
  host: Int32Array.of(word0, 2, 3, 4),
  hostPort,
});

class Model {
  readonly shared: SharedTables = createSharedTables(64);
  tables = attachTables(this.shared, 0, OPTIONS);
  now = 0;
  /** By name: the last second of the session. */
  readonly sessions = new Map<string, number>();
  readonly #ports = new Map<string, number>();
  readonly #random = seededRandom(7);

  find(of: Key): { bib: number; session: number } {
    const bib = findBibByHost(this.tables, endpoint(of.protocol, of.host, of.hostPort));
    return { bib, session: bib === 0 ? 0 : findSession(this.tables, bib, of.remote, of.remotePort) };
  }

  packet(of: Key, lifetime: number): void {
    const { tables, now } = this;
    let { bib, session } = this.find(of);
    const expiresAt = now + lifetime;
    if (bib === 0) {
      const port = allocatePort(
        tables,
        tables.clients,
        request(of.protocol, of.hostPort, 5000, 5063, this.#random),
      );
      bib = addBib(tables, endpoint(of.protocol, of.host, of.hostPort), port);
      this.#ports.set(bibName(of), port);
    }
    if (session === 0) session = addSession(tables, bib, of.remote, of.remotePort, 0, now, expiresAt);
    else setExpiry(tables, session, now, expiresAt);
    assert.notEqual(session, 0);
    this.sessions.set(sessionName(of), expiresAt);
  }

  expire(): void {
    for (;;) {
      const index = nextExpired(this.tables, this.now);
      if (index === 0) break;
      removeSession(this.tables, index, this.now);
    }
    for (const [name, expiresAt] of this.sessions) if (expiresAt < this.now) this.sessions.delete(name);
  }

  check(keys: readonly Key[]): void {
    assert.equal(sessionCount(this.tables), this.sessions.size);
    const bibs = new Set([...this.sessions.keys()].map((name) => name.split(' ').slice(0, 3).join(' ')));
    assert.equal(bibCount(this.tables), bibs.size);
    for (const of of keys) {
      const { bib, session } = this.find(of);
      assert.equal(session !== 0, this.sessions.has(sessionName(of)), sessionName(of));
      assert.equal(bib !== 0, bibs.has(bibName(of)), bibName(of));
      if (bib === 0) continue;
      const port = this.tables.bib[bib * RECORD_WORDS + BIB.PORTS] & 0xffff;
      assert.equal(port, this.#ports.get(bibName(of)));
      assert.equal(findBibByMappedPort(this.tables, 0, of.protocol, port), bib);
    }
  }
}

test('after any commands, the tables agree with plain maps; a new worker finds the same content', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const model = new Model();
      const keys = commands.flatMap((step) => ('key' in step ? [step.key] : []));
      for (const step of commands) {
        if (step.kind === 'packet') model.packet(step.key, step.lifetime);
        else if (step.kind === 'remove') {
          const { session } = model.find(step.key);
          if (session !== 0) removeSession(model.tables, session, model.now);
          model.sessions.delete(sessionName(step.key));
        } else if (step.kind === 'pass') {
          model.now += step.seconds;
          model.expire();
        } else model.tables = attachTables(model.shared, model.now, OPTIONS);
        model.check(keys);
      }
    }),
    { numRuns: 200 },
  );
});

test('a full table refuses, and accepts again after an expiry', () => {
  const tables = attachTables(createSharedTables(8), 0, OPTIONS);
  const bib = addBib(tables, endpoint(0, 1, 5), 6);
  for (let port = 1; port <= 8; port++) assert.notEqual(addSession(tables, bib, 1, port, 0, 0, 10), 0);
  assert.equal(addSession(tables, bib, 1, 9, 0, 0, 10), 0);
  removeSession(tables, nextExpired(tables, 11), 11);
  assert.notEqual(addSession(tables, bib, 1, 9, 0, 11, 20), 0);
});

test('a step of the sweep handles one session, or one second', () => {
  const tables = attachTables(createSharedTables(100), 0, OPTIONS);
  const bib = addBib(tables, endpoint(0, 1, 5), 6);
  for (let port = 1; port <= 100; port++) {
    const session = addSession(tables, bib, 1, port, 0, 0, 10);
    setExpiry(tables, session, 0, 500);
  }
  for (let step = 0; step < 20; step++) assert.equal(sweepStep(tables, 50), SWEEP.more);
  assert.ok(tables.control[CONTROL.SWEPT_UNTIL] <= 11);
});

test('removeSessionsUnless removes sessions that are not kept, with their BIB entries', () => {
  const tables = attachTables(createSharedTables(8), 0, OPTIONS);
  for (const port of [10, 11, 12]) {
    const bib = addBib(tables, endpoint(0, 1, port), port);
    addSession(tables, bib, 1, 1, 0, 0, 10);
    addSession(tables, bib, 1, 2, 0, 0, 10);
  }
  removeSessionsUnless(tables, (bibAt) => (tables.bib[bibAt + BIB.PORTS] & 0xffff) !== 11, 0);
  assert.equal(sessionCount(tables), 4);
  assert.equal(bibCount(tables), 2);
  assert.equal(findBibByMappedPort(tables, 0, 0, 11), 0);
});

test('a worker that died between two stores leaves no inconsistent records', () => {
  const shared = createSharedTables(8);
  const tables = attachTables(shared, 0, OPTIONS);
  const orphan = addBib(tables, endpoint(0, 1, 5), 6);
  const bib = addBib(tables, endpoint(0, 1, 7), 8);
  const session = addSession(tables, bib, 1, 1, 0, 0, 10);
  shared.bib[bib * RECORD_WORDS + BIB.NEXT] = bib; // a chain that would never end
  const again = attachTables(shared, 1, OPTIONS);
  assert.equal(findBibByMappedPort(again, 0, 0, 6), 0, `BIB entry ${orphan} has no session`);
  assert.equal(findSession(again, findBibByHost(again, endpoint(0, 1, 7)), 1, 1), session);
  assert.equal(bibCount(again), 1);
});

/** Takes a port for a new mapping. */
function taken(tables: Tables, protocol: number, hostPort: number, first: number, last: number): number {
  const port = allocatePort(
    tables,
    tables.clients,
    request(protocol, hostPort, first, last, seededRandom(hostPort + 3)),
  );
  if (port === -1) return -1;
  addSession(tables, addBib(tables, endpoint(protocol, hostPort, hostPort), port), 1, 1, 0, 0, 10);
  return port;
}

describe('ports of the pool (N9, N35)', () => {
  test('no port is given twice; the last one is found; then there is none', () => {
    for (const protocol of [0, 1, 2]) {
      const tables = attachTables(createSharedTables(256), 0, OPTIONS);
      const ports = Array.from({ length: 100 }, (_, i) => taken(tables, protocol, 2000 + i, 3000, 3099));
      assert.deepEqual(
        ports.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, i) => 3000 + i),
      );
      assert.equal(taken(tables, protocol, 5000, 3000, 3099), -1);
    }
  });

  test('UDP keeps parity while it can; every protocol but ICMP keeps the class 0-1023', () => {
    const tables = attachTables(createSharedTables(4096), 0, OPTIONS);
    for (let i = 0; i < 50; i++) {
      assert.equal(taken(tables, 1, 5001 + 2 * i, 4000, 4200) & 1, 1);
      assert.equal(taken(tables, 1, 5000 + 2 * i, 4000, 4200) & 1, 0);
      assert.ok(taken(tables, 0, 100 + i, 900, 2000) < 1024);
      assert.ok(taken(tables, 0, 5000 + i, 900, 2000) >= 1024);
    }
    const others = attachTables(createSharedTables(16), 0, OPTIONS);
    assert.ok(
      taken(others, 0, 99, 3000, 3001) >= 3000,
      'the class is not kept if the pool has no port of it',
    );
  });

  test('the choice is spread over the pool', () => {
    const tables = attachTables(createSharedTables(4096), 0, OPTIONS);
    const random = seededRandom(99);
    const ports = Array.from({ length: 1000 }, () =>
      allocatePort(tables, tables.clients, request(0, 5000, 32_768, 65_535, random)),
    );
    assert.ok(new Set(ports).size > 900);
  });
});
