/** Effects of time: lifetimes, stored SYNs, probes (RFC 6146 section 4). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_STORED_SYNS } from '../../../../src/services/nat64/tables/stored-syns.ts';
import { CONTROL } from '../../../../src/services/nat64/tables/tables.ts';
import { seededRandom } from '../../../random.ts';
import { HOST, type Harness, POOL4, REMOTE, createHarness } from './harness.ts';
import { type Bytes, TCP_FLAGS, icmp, readU16, tcp, udp } from './packets.ts';
import { PORT, REMOTE6, ONE_PORT, out6, out4, in4, data, error4, hexOf } from './rows.ts';

const sessions = (harness: Harness) => harness.translator.tables.control[CONTROL.SESSION_COUNT];
const send6 = (flags: number) => tcp({ ...out6, flags });
const send4 = (flags: number) => tcp({ ...in4, flags });

describe('lifetimes (RFC 6146 section 4)', () => {
  const { SYN, ACK, FIN, RST } = TCP_FLAGS;
  const handshake = [send6(SYN), send4(SYN | ACK), send6(ACK)];
  const closed = [...handshake, send6(FIN | ACK), send4(FIN | ACK), send6(ACK)];
  const ping = icmp({ source: HOST, destination: REMOTE6, type: 128, rest: 0x1234_0001 });

  const rows: [title: string, packets: Bytes[], seconds: number][] = [
    ['N7: UDP, 5 minutes', [udp(out6)], 300],
    ['N16: ICMP queries, 60 seconds', [ping], 60],
    ['N10: a SYN, 4 minutes', [send6(SYN)], 240],
    ['N14: an established connection, 2 h 4 min', handshake, 7440],
    ['N15: a reset, 4 minutes', [...handshake, send4(RST)], 240],
    ['N15: data after a reset, 2 h 4 min again', [...handshake, send4(RST), send6(ACK)], 7440],
    ['one FIN keeps the connection', [...handshake, send6(FIN | ACK)], 7440],
    ['N15: both FINs, 4 minutes', closed, 240],
    ['the same ports again from IPv6, 2 h 4 min', [...closed, ...handshake], 7440],
    ['the same ports again from IPv4, 2 h 4 min', [...closed, send4(SYN), send6(SYN | ACK)], 7440],
    ['the same ports again, without an answer: 4 minutes', [...closed, send4(SYN), send4(ACK)], 240],
    ['data after both FINs does not bring the connection back', [...closed, send6(ACK), send4(ACK)], 240],
    ['N38: SYNs that cross establish', [send6(SYN), send4(SYN)], 7440],
  ];
  for (const [title, packets, seconds] of rows) {
    test(title, () => {
      const harness = createHarness(ONE_PORT);
      harness.setTime(1000);
      for (const packet of packets) harness.send(packet);
      harness.setTime(1000 + seconds);
      assert.equal(sessions(harness), 1, 'it reached its full lifetime');
      const [probe] = harness.setTime(1001 + seconds);
      if (probe !== undefined) harness.setTime(1001 + seconds + 241);
      assert.equal(sessions(harness), 0);
      assert.equal(harness.counters()['bib-removed'], 1);
    });
  }

  test('N14: an established connection without traffic: the host is probed, and has 4 minutes to answer', () => {
    const harness = createHarness(ONE_PORT);
    for (const packet of handshake) harness.send(packet);
    const segment = { source: REMOTE6, destination: HOST, sourcePort: 53, destinationPort: 5000, flags: ACK };
    const probe = tcp({ ...segment, sequence: 0, acknowledgement: 0, window: 0 });
    assert.deepEqual(harness.setTime(7441).map(hexOf), [hexOf(probe)]);
    assert.deepEqual(harness.setTime(7441 + 240), []);
    assert.equal(sessions(harness), 1);
    // A host that knows the connection answers, and the session is established again.
    assert.notEqual(harness.send(send6(ACK)), undefined);
    assert.deepEqual(harness.setTime(7681 + 7440), []);
    assert.equal(harness.setTime(7681 + 7441).length, 1);
    assert.deepEqual(harness.setTime(7681 + 7441 + 241), []);
    assert.equal(sessions(harness), 0);
    assert.equal(harness.counters()['probes-sent'], 2);
  });

  test('lifetimes are those of the configuration', () => {
    const lifetimes = {
      udpSeconds: 600,
      tcpEstablishedSeconds: 20_000,
      tcpTransitorySeconds: 300,
      icmpSeconds: 90,
      fragmentSeconds: 30,
    };
    const rows2: [Bytes[], number][] = [
      [[udp(out6)], 600],
      [[ping], 90],
      [[send6(SYN)], 300],
      [handshake, 20_000],
    ];
    for (const [packets, seconds] of rows2) {
      const harness = createHarness({ ...ONE_PORT, settings: { lifetimes } });
      for (const packet of packets) harness.send(packet);
      for (let second = 0; second < seconds; second += 50) assert.deepEqual(harness.setTime(second), []);
      harness.setTime(seconds);
      assert.equal(sessions(harness), 1);
      if (harness.setTime(seconds + 1).length === 0) assert.equal(sessions(harness), 0);
    }
  });

  test('N11, N39: the sender of an unsolicited SYN gets an error after 6 seconds, once', () => {
    const harness = createHarness(ONE_PORT);
    const syn = send4(SYN);
    harness.send(syn);
    harness.setTime(3);
    harness.send(syn);
    assert.deepEqual(harness.setTime(6), []);
    assert.deepEqual(harness.setTime(7).map(hexOf), [hexOf(error4(3, 3, syn))]);
    assert.deepEqual(harness.setTime(20), []);
  });

  test('N11, N19: the host whose hairpinned SYN nobody answered gets an error, on the path of the SYN', () => {
    const harness = createHarness({ ports: [PORT, PORT + 1] });
    // 2001:db8:1::10 has one of the two ports; the other is unused.
    harness.send(send6(SYN));
    const nobodys = readU16(harness.send(send6(SYN)) as Bytes, 20) === PORT ? PORT + 1 : PORT;
    const syn = tcp({
      ...{ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: nobodys },
      flags: SYN,
    });
    assert.equal(harness.send(syn), undefined);
    assert.deepEqual(harness.counted()['syns-stored'], 1);
    assert.deepEqual(harness.setTime(6), []);
    const error = icmp({
      ...{ source: `64:ff9b::${POOL4}`, destination: HOST, type: 1, code: 4 },
      ...{ hopLimit: 63, trafficClass: 0xc0 },
      data: tcp({
        ...{ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: nobodys },
        ...{ flags: SYN, hopLimit: 63 },
      }),
    });
    assert.deepEqual(harness.setTime(7).map(hexOf), [hexOf(error)]);
    assert.deepEqual(harness.setTime(20), []);
  });

  test('N38, N39: a SYN from the host that crosses it establishes the connection; no error is sent', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(send4(SYN));
    assert.notEqual(harness.send(send6(SYN)), undefined);
    assert.deepEqual(harness.setTime(100), []);
    assert.notEqual(harness.send(send4(SYN)), undefined, 'its repetition passes');
    assert.deepEqual(harness.setTime(100 + 7440), []);
    assert.equal(sessions(harness), 1);
  });

  test('N11: a limited number of SYNs is stored, the newest ones; a stored SYN makes no session', () => {
    const harness = createHarness(ONE_PORT);
    for (let port = 1; port <= MAX_STORED_SYNS + 10; port++)
      harness.send(tcp({ ...in4, sourcePort: port, flags: SYN }));
    assert.equal(harness.counters()['syns-stored'], MAX_STORED_SYNS + 10);
    assert.equal(harness.counters()['syns-displaced'], 10);
    assert.equal(sessions(harness), 0);
    harness.setTime(7);
    harness.send(tcp({ ...in4, sourcePort: 9999, flags: SYN }));
    assert.equal(harness.counters()['syns-displaced'], 10);
  });

  test('N36: traffic of both directions refreshes', () => {
    const harness = createHarness(ONE_PORT);
    for (const [second, packet] of [udp(out6), udp(in4), udp(out6), udp(in4)].entries()) {
      harness.setTime(second * 299);
      harness.send(packet);
    }
    assert.equal(sessions(harness), 1);
    harness.setTime(4 * 299 + 10);
    assert.equal(sessions(harness), 0);
  });

  test('N6, N37: ICMP errors neither refresh nor end a session', () => {
    const harness = createHarness(ONE_PORT);
    harness.send(udp({ ...out6, data }));
    const error = icmp({
      source: REMOTE,
      destination: POOL4,
      type: 3,
      code: 3,
      data: udp({ ...out4, data }),
    });
    assert.notEqual(harness.send(error), undefined);
    assert.equal(sessions(harness), 1);
    harness.setTime(299);
    assert.notEqual(harness.send(error), undefined);
    harness.setTime(301);
    assert.equal(sessions(harness), 0);
    assert.equal(harness.send(error), undefined);
  });

  test('N20: one host and port has one mapping for all remotes', () => {
    const harness = createHarness();
    const ports = ['203.0.113.9', '192.0.2.1', '198.51.100.77'].map((remote) => {
      const out = harness.send(udp({ ...out6, destination: `64:ff9b::${remote}` }));
      return out && readU16(out, 20);
    });
    assert.equal(new Set(ports).size, 1);
    assert.equal(sessions(harness), 3);
  });
});

test('4 hours of traffic on an injected clock: each session ends in its second, as in a plain list', () => {
  const random = seededRandom(64);
  const harness = createHarness({ maxSessions: 8192 });
  const { SYN, ACK } = TCP_FLAGS;
  /** By flow: its last second; for TCP, whether its host still has to be probed. */
  const flows = new Map<string, { endsAt: number; isEstablished: boolean }>();
  const ends = (n: number) => ({ ...out6, sourcePort: 2000 + n });
  let probes = 0;
  for (let now = 0; now < 4 * 3600; now++) {
    probes += harness.setTime(now).length;
    for (const [key, flow] of flows) {
      if (flow.endsAt >= now) continue;
      if (flow.isEstablished) Object.assign(flow, { isEstablished: false, endsAt: now + 240 });
      else flows.delete(key);
    }
    assert.equal(sessions(harness), flows.size, `second ${now}`);
    // A burst from time to time, and silence in between.
    if ((now >> 9) % 3 === 2) continue;
    const n = random() % 1000;
    const kind = random() % 3;
    if (kind === 0) {
      harness.send(udp(ends(n)));
      flows.set(`udp ${n}`, { endsAt: now + 300, isEstablished: false });
    } else if (kind === 1) {
      harness.send(icmp({ ...ends(n), type: 128, rest: (2000 + n) * 65_536 }));
      flows.set(`icmp ${n}`, { endsAt: now + 60, isEstablished: false });
    } else {
      const syn = harness.send(tcp({ ...ends(n), flags: SYN })) as Bytes;
      harness.send(tcp({ ...in4, destinationPort: readU16(syn, 20), flags: SYN | ACK }));
      flows.set(`tcp ${n}`, { endsAt: now + 7440, isEstablished: true });
    }
  }
  assert.ok(probes > 100, `${probes}`);
  harness.setTime(8 * 3600);
  harness.setTime(9 * 3600);
  assert.equal(sessions(harness), 0);
});
