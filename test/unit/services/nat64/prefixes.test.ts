/** Several prefixes, and IPv4 addresses that are not translated. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOST, OWN_IPV6, POOL4, REMOTE, createHarness, eamOf, prefixOf } from './harness.ts';
import { type Bytes, TCP_FLAGS, address, icmp, readU16, tcp, udp } from './packets.ts';
import { compileList4 } from '../../../../src/services/nat64/settings/address-list.ts';

const SECOND = '2001:db8:64::/96';
const THIRD = '2001:db8:6400::/40';
const EXTRA = { extraPrefixes: [SECOND, THIRD] };
const PRIVATE = '10.1.2.3';
const sourceOf = (packet: Bytes | undefined) => packet && Buffer.from(packet.slice(8, 24)).toString('hex');
const hex = (text: string) => Buffer.from(address(text)).toString('hex');
const portOf = (packet: Bytes | undefined) => readU16(packet as Bytes, 20);
/** The representation of 203.0.113.9 in each prefix. */
const BEHIND = [`64:ff9b::${REMOTE}`, `2001:db8:64::${REMOTE}`, '2001:db8:64cb:71:9::'];

describe('several prefixes', () => {
  for (const [i, destination] of BEHIND.entries()) {
    test(`a host that sends to ${destination} is answered from there`, () => {
      const harness = createHarness(EXTRA);
      const out = harness.send(udp({ source: HOST, destination, sourcePort: 5000, destinationPort: 53 }));
      const answer = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: portOf(out) };
      assert.equal(sourceOf(harness.send(udp(answer))), hex(destination));
      const about = { source: '198.51.100.254', destination: POOL4, type: 11, data: out as Bytes };
      const router = ['64:ff9b::c633:64fe', '2001:db8:64::c633:64fe', '2001:db8:64c6:3364:fe::'][i];
      const error = harness.send(icmp(about)) as Bytes;
      assert.equal(sourceOf(error), hex(router));
      assert.equal(Buffer.from(error.slice(72, 88)).toString('hex'), hex(destination), 'the quoted packet');
    });
  }

  test('a host that changes the prefix is answered from the new one', () => {
    const harness = createHarness(EXTRA);
    const ports = { source: HOST, sourcePort: 5000, destinationPort: 53 };
    const first = harness.send(udp({ ...ports, destination: BEHIND[0] }));
    const second = harness.send(udp({ ...ports, destination: BEHIND[1] }));
    assert.equal(portOf(first), portOf(second), 'one mapping');
    const answer = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: portOf(first) };
    assert.equal(sourceOf(harness.send(udp(answer))), hex(BEHIND[1]));
    assert.equal(harness.counters()['sessions-created-udp'], 1);
  });

  test('an ICMP error of the host, through the prefix of its session', () => {
    const harness = createHarness(EXTRA);
    const ports = { sourcePort: 5000, destinationPort: 53 };
    const out = harness.send(udp({ ...ports, source: HOST, destination: BEHIND[1] }));
    const answer = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: portOf(out) };
    const inward = harness.send(udp(answer)) as Bytes;
    const error = icmp({ source: HOST, destination: BEHIND[1], type: 1, code: 4, data: inward });
    const translated = harness.send(error);
    assert.deepEqual([...(translated?.slice(16, 20) ?? [])], [203, 0, 113, 9]);
    assert.equal(harness.counters()['drop-icmp-quote'], 0);
  });

  test('N14: the probe of an idle connection comes from the prefix of its session', () => {
    const harness = createHarness(EXTRA);
    const out = { source: HOST, destination: BEHIND[2], sourcePort: 5000, destinationPort: 80 };
    const syn = harness.send(tcp({ ...out, flags: TCP_FLAGS.SYN }));
    const back = { source: REMOTE, destination: POOL4, sourcePort: 80, destinationPort: portOf(syn) };
    harness.send(tcp({ ...back, flags: TCP_FLAGS.SYN | TCP_FLAGS.ACK }));
    const [probe] = harness.setTime(7441);
    assert.equal(sourceOf(probe), hex(BEHIND[2]));
  });

  test('sources inside any of the prefixes would loop', () => {
    const harness = createHarness({ ...EXTRA, allow: ['::/0'] });
    const packet = {
      source: '2001:db8:64::192.0.2.1',
      destination: BEHIND[0],
      sourcePort: 1,
      destinationPort: 1,
    };
    assert.equal(harness.send(udp(packet)), undefined);
    assert.equal(harness.counters()['drop-source-in-prefix'], 1);
  });

  test('N34: a private address is refused behind the well-known prefix only, also as a router on the path', () => {
    const harness = createHarness(EXTRA);
    const ports = { sourcePort: 5000, destinationPort: 53 };
    const refused = harness.send(udp({ ...ports, source: HOST, destination: `64:ff9b::${PRIVATE}` }));
    assert.deepEqual([refused?.[40], refused?.[41]], [1, 1]);
    const out = harness.send(
      udp({ ...ports, source: HOST, destination: `2001:db8:64::${PRIVATE}` }),
    ) as Bytes;
    assert.equal(out[0] >> 4, 4);
    const answer = { source: PRIVATE, destination: POOL4, sourcePort: 53, destinationPort: portOf(out) };
    assert.equal(sourceOf(harness.send(udp(answer))), hex(`2001:db8:64::${PRIVATE}`));
    // The host has not sent to this source: the source gets the first prefix that may represent it.
    assert.equal(sourceOf(harness.send(udp({ ...answer, sourcePort: 54 }))), hex(`2001:db8:64::${PRIVATE}`));
    const router = { source: PRIVATE, destination: POOL4, type: 11 };
    const first = harness.send(udp({ ...ports, source: HOST, destination: BEHIND[0] })) as Bytes;
    assert.equal(sourceOf(harness.send(icmp({ ...router, data: first }))), hex(OWN_IPV6));
    assert.equal(sourceOf(harness.send(icmp({ ...router, data: out }))), hex(`2001:db8:64::${PRIVATE}`));
  });

  test('a server with its own IPv4 address has no session that stores the prefix: it can only use the first one', () => {
    const harness = createHarness({ ...EXTRA, settings: { eam: eamOf(['192.0.2.9/32', `${HOST}/128`]) } });
    const ports = { source: HOST, sourcePort: 5000, destinationPort: 53 };
    assert.notEqual(harness.send(udp({ ...ports, destination: BEHIND[0] })), undefined);
    assert.equal(harness.send(udp({ ...ports, destination: BEHIND[1] })), undefined);
    assert.equal(harness.counters()['drop-destination'], 1);
  });
});

describe('addresses that are not translated', () => {
  const denied4 = compileList4([prefixOf('203.0.113.8/29'), prefixOf('192.0.2.1')]);
  const rows: [title: string, remote: string, isDenied: boolean][] = [
    ['in a denied prefix', '203.0.113.9', true],
    ['after its end', '203.0.113.16', false],
    ['a denied address', '192.0.2.1', true],
    ['the next address', '192.0.2.2', false],
  ];
  for (const [title, remote, isDenied] of rows) {
    test(`${title}: ${remote}`, () => {
      const harness = createHarness({ ports: [40_000, 40_000], settings: { denied4 } });
      harness.send(
        udp({ source: HOST, destination: '64:ff9b::198.51.100.9', sourcePort: 1, destinationPort: 1 }),
      );
      const out = harness.send(
        udp({ source: HOST, destination: `64:ff9b::${remote}`, sourcePort: 1, destinationPort: 1 }),
      ) as Bytes;
      if (isDenied) assert.deepEqual([out[0] >> 4, out[40], out[41]], [6, 1, 1]);
      else assert.equal(out[0] >> 4, 4);
      const back = harness.send(
        udp({ source: remote, destination: POOL4, sourcePort: 1, destinationPort: 40_000 }),
      );
      assert.equal(back === undefined, isDenied);
      assert.equal(harness.counters()['drop-denied'], isDenied ? 2 : 0);
    });
  }

  test('all addresses', () => {
    const harness = createHarness({ settings: { denied4: compileList4([prefixOf('0.0.0.0/0')]) } });
    harness.send(udp({ source: HOST, destination: BEHIND[0], sourcePort: 1, destinationPort: 1 }));
    assert.equal(harness.counters()['drop-denied'], 1);
  });
});
