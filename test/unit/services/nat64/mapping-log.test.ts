/** The log of mappings (RFC 6888): each begins and ends exactly once, however it ends. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventRing } from '../../../../src/runtime/event-ring.ts';
import type { Nat64Found } from '../../../../src/services/nat64/contract.ts';
import { applySettings } from '../../../../src/services/nat64/control/apply-settings.ts';
import { attachTables } from '../../../../src/services/nat64/tables/attach-tables.ts';
import {
  createMappingLog,
  createMappingRing,
  eventOf,
  readMappingLog,
} from '../../../../src/services/nat64/tables/mapping-log.ts';
import { HOST, type Harness, type HarnessOptions, POOL4, REMOTE, createHarness } from './harness.ts';
import { type Bytes, icmp, readU16, udp } from './packets.ts';

const OUT = { source: HOST, destination: `64:ff9b::${REMOTE}`, sourcePort: 5000, destinationPort: 53 };
const NOW_MS = 1_700_000_000_123;

interface Logged {
  readonly harness: Harness;
  readonly ring: EventRing;
  events(): Nat64Found[];
}

/** A translator that logs mappings and sessions. */
function logged(options: HarnessOptions = {}): Logged {
  const harness = createHarness(options);
  const ring = createMappingRing();
  const log = createMappingLog(ring.buffer, harness.translator.counters);
  log.tick(NOW_MS);
  harness.translator.tables = attachTables(harness.translator.tables, 0, harness.translator.settings, log);
  ring.want(15);
  const events = () => {
    const found: Nat64Found[] = [];
    ring.drain((record) => {
      assert.equal(record.timeMs, NOW_MS);
      found.push(eventOf(record));
    });
    return found;
  };
  return { harness, ring, events };
}

const names = (events: readonly Nat64Found[]) => events.map(({ what }) => what);

test('a mapping with its sessions, from beginning to end', () => {
  const { harness, events } = logged();
  const port = readU16(harness.send(udp(OUT)) as Bytes, 20);
  const mapping = {
    kind: 'nat64',
    protocol: 'udp',
    client: HOST,
    clientPort: 5000,
    poolAddress: POOL4,
    poolPort: port,
  } as const;
  const remote = { remote: REMOTE, remotePort: 53 };
  const none = { remote: null, remotePort: null };
  assert.deepEqual(events(), [
    { ...mapping, ...none, what: 'mapping-created' },
    { ...mapping, ...remote, what: 'session-created' },
  ]);
  harness.send(udp({ ...OUT, destinationPort: 54 }));
  assert.deepEqual(events(), [{ ...mapping, remote: REMOTE, remotePort: 54, what: 'session-created' }]);
  harness.send(udp(OUT));
  assert.deepEqual(events(), [], 'a packet of a session is not recorded');
  harness.setTime(301);
  assert.deepEqual(names(events()), ['session-removed', 'session-removed', 'mapping-removed']);
});

test('echo requests have identifiers', () => {
  const { harness, events } = logged();
  harness.send(icmp({ ...OUT, type: 128, rest: 0x1234_0001 }));
  const [mapping, session] = events();
  assert.deepEqual([mapping.protocol, mapping.clientPort], ['icmp', 0x1234]);
  assert.deepEqual([session.remote, session.remotePort], [REMOTE, 0]);
});

describe('every end is recorded', () => {
  const rows: [title: string, end: (harness: Harness) => void][] = [
    ['time', (harness) => void harness.setTime(1000)],
    [
      'the host is no longer allowed',
      ({ translator }) => applySettings(translator, { ...translator.settings, allow: new Int32Array() }),
    ],
    [
      'the address has left the pool',
      ({ translator }) =>
        applySettings(translator, { ...translator.settings, poolAddresses: Int32Array.of(0x0102_0304) }),
    ],
    [
      'its port is no longer in the pool',
      ({ translator }) => applySettings(translator, { ...translator.settings, pools: [] }),
    ],
  ];
  for (const [title, end] of rows) {
    test(title, () => {
      const { harness, events } = logged();
      harness.send(udp(OUT));
      const [created] = events();
      end(harness);
      const ended = events();
      assert.deepEqual(names(ended), ['session-removed', 'mapping-removed']);
      assert.deepEqual(ended[1], { ...created, what: 'mapping-removed' });
    });
  }
});

test('a new thread continues where the other stopped: no mapping begins again', () => {
  const { harness, ring, events } = logged();
  harness.send(udp(OUT));
  events();
  const { translator } = harness;
  const log = createMappingLog(ring.buffer, translator.counters);
  log.tick(NOW_MS);
  translator.tables = attachTables(translator.tables, 10, translator.settings, log);
  assert.deepEqual(events(), []);
  harness.setTime(400);
  assert.deepEqual(names(events()), ['session-removed', 'mapping-removed']);
});

test('events that are not enabled are not recorded', () => {
  const { harness, ring, events } = logged();
  ring.want(0);
  harness.send(udp(OUT));
  assert.deepEqual(events(), []);
  assert.equal(harness.counters()['log-records-lost'], 0);
});

test('records without room are counted', () => {
  const { harness, events } = logged({ maxSessions: 20_000 });
  for (let i = 0; i < 10_000; i++)
    harness.send(udp({ ...OUT, source: `2001:db8:1::${(i + 1).toString(16)}` }));
  assert.equal(harness.counters()['log-records-lost'], 20_000 - 16_384);
  assert.equal(events().length, 16_384);
});

test('a structured line for each, and an event for the panel', (t) => {
  const { harness, ring } = logged();
  const lines: object[] = [];
  const decoded: unknown[] = [];
  let stopped = false;
  const log = { info: (fields: object) => void lines.push(fields) };
  const reader = readMappingLog(ring, log, {
    put: () => assert.fail('only the ring reports events'),
    forget: () => {},
    drainRingLater: () => assert.fail('each record has a line in the log at once'),
    drainRing: (drained, decode) => {
      t.after(() => assert.ok(stopped));
      return {
        [Symbol.dispose]() {
          drained.drain((record) => void decoded.push(decode(record)));
          stopped = true;
        },
      };
    },
  });
  reader.setLevel('mappings');
  harness.send(udp(OUT));
  reader.setLevel('none');
  harness.setTime(301);
  reader[Symbol.dispose]();
  assert.equal(lines.length, 1);
  const { poolPort, ...line } = lines[0] as Nat64Found;
  assert.deepEqual(line, {
    event: 'mapping-created',
    at: '2023-11-14T22:13:20.123Z',
    protocol: 'udp',
    client: HOST,
    clientPort: 5000,
    poolAddress: POOL4,
    remote: null,
    remotePort: null,
  });
  assert.ok(poolPort >= 32_768);
  assert.equal((decoded[0] as Nat64Found).what, 'mapping-created');
});
