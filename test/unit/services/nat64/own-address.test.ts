/**
 * Packets that concern the appliance itself, that have a forbidden source, or that would loop: to and from its own addresses and
 * those of pool4; from and to addresses that are never routed, or that must not be represented with the well-known prefix.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applySettings } from '../../../../src/services/nat64/control/apply-settings.ts';
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import {
  HOST,
  type HarnessOptions,
  OWN4_BESIDE,
  POOL4,
  REMOTE,
  createHarness,
  eamOf,
  pool,
  prefixOf,
} from './harness.ts';
import { type Bytes, address, icmp, ip, readU32, tcp, udp } from './packets.ts';
import { PORT, error4, error6, in4, out4, out6, type Row, testRows } from './rows.ts';
import { compileList4 } from '../../../../src/services/nat64/settings/address-list.ts';

const ROUTED = '192.0.2.5';
const signed = (text: string) => readU32(address(text), 0) | 0;
/** Two addresses of pool4: the appliance's own, and one that is only routed to it. */
const routed: Partial<Settings> = {
  poolAddresses: Int32Array.of(signed(POOL4), signed(ROUTED)),
  isOwnAddress: [true, false],
  pools: [pool(0, PORT, PORT), pool(1, PORT, PORT)],
};
const toOwn = (target: string, destinationPort: number) =>
  udp({ source: HOST, destination: `64:ff9b::${target}`, sourcePort: 5000, destinationPort });
const echoTo = (target: string) =>
  icmp({ source: HOST, destination: `64:ff9b::${target}`, type: 128, rest: 7 });

const refused6 = (
  title: string,
  packet: Bytes,
  drop: string,
  code = 1,
  config: HarnessOptions = {},
): Row => ({
  title,
  packet,
  config,
  out: error6(1, code, packet),
  drop,
});
const silent = (title: string, packet: Bytes, drop: string, config: HarnessOptions = {}): Row => ({
  title,
  packet,
  config,
  out: undefined,
  drop,
});

const OWN = 'drop-own-address';
describe('from IPv6 to an address of the appliance: 1/1', () => {
  const tcpToOwn = tcp({
    source: HOST,
    destination: `64:ff9b::${OWN4_BESIDE}`,
    sourcePort: 5000,
    destinationPort: 8064,
    flags: 2,
  });
  const error = icmp({
    source: HOST,
    destination: `64:ff9b::${OWN4_BESIDE}`,
    type: 1,
    data: udp({ source: `64:ff9b::${REMOTE}`, destination: HOST, sourcePort: 53, destinationPort: 5000 }),
  });
  testRows([
    refused6('a new connection', tcpToOwn, OWN),
    refused6('UDP', toOwn(OWN4_BESIDE, 53), OWN),
    refused6('a ping', echoTo(OWN4_BESIDE), OWN),
    refused6('outside the ports of pool4', toOwn(POOL4, PORT + 1), OWN),
    refused6('a ping of the pool4 address', echoTo(POOL4), OWN),
    refused6('an address of pool4 that is routed here, outside its ports', toOwn(ROUTED, 80), OWN, 1, {
      settings: routed,
    }),
    refused6('a broadcast address of its own networks', toOwn('203.0.113.15', 53), OWN, 1, {
      settings: { own4: compileList4([prefixOf('203.0.113.15')]) },
    }),
    refused6('another protocol from a host mapped as a whole', sctpTo(OWN4_BESIDE), OWN, 1, {
      settings: { eam: eamOf(['192.0.2.9/32', `${HOST}/128`]) },
    }),
    silent('an error about a live session: never answered', error, OWN),
  ]);

  test('a session that began before the address became ours', () => {
    const harness = createHarness();
    const packet = toOwn('203.0.113.20', 53);
    assert.equal(harness.send(packet)?.[0], 0x45);
    const own4 = compileList4([prefixOf('203.0.113.20')]);
    applySettings(harness.translator, { ...harness.translator.settings, own4 });
    assert.deepEqual(harness.send(packet), error6(1, 1, packet));
    assert.equal(harness.counted()[OWN], 1);
  });
});

function sctpTo(target: string): Bytes {
  return ip({ source: HOST, destination: `64:ff9b::${target}`, protocol: 132, payload: new Uint8Array(12) });
}

describe('invalid sources (martians), and pool4 to itself', () => {
  const from = (source: string, destination = POOL4) =>
    udp({ source, destination, sourcePort: 53, destinationPort: PORT });
  const INVALID = 'drop-source-invalid';
  const before = [udp(out6)];
  const rows = ['0.1.2.3', '127.0.0.1', '169.254.1.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'];
  testRows([
    ...rows.map((source) => silent(`from ${source}`, from(source), INVALID)),
    { ...silent('from an own address', from(OWN4_BESIDE), INVALID), before },
    { ...silent('from the pool4 address itself', from(POOL4), INVALID), before },
    silent('from one pool4 address to another', from(ROUTED), INVALID, { settings: routed }),
    silent(
      'a ping from an own address',
      icmp({ source: OWN4_BESIDE, destination: POOL4, type: 8, rest: PORT * 65_536 }),
      INVALID,
    ),
    silent('a fragment takes no memory', udp({ ...in4, source: OWN4_BESIDE, fragment: 0x2000 }), INVALID),
    silent(
      'from a host whose IPv4 address is our own',
      udp({ source: HOST, destination: `64:ff9b::${REMOTE}`, sourcePort: 1, destinationPort: 53 }),
      INVALID,
      { settings: { eam: eamOf([`${OWN4_BESIDE}/32`, `${HOST}/128`]) } },
    ),
    {
      title: 'an error from an own address passes: the kernel here is a router on the path',
      before,
      packet: icmp({
        source: OWN4_BESIDE,
        destination: POOL4,
        type: 11,
        data: udp(out4),
      }),
      out: icmp({
        source: `64:ff9b::${OWN4_BESIDE}`,
        destination: HOST,
        type: 3,
        hopLimit: 63,
        data: udp({ ...out6, hopLimit: 63 }),
      }),
    },
  ]);
});

describe('from IPv6 to addresses that are never routed: 1/1', () => {
  testRows(
    ['0.1.2.3', '127.0.0.1', '169.254.1.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'].map((target) =>
      refused6(target, toOwn(target, 53), 'drop-non-global'),
    ),
  );
});

describe('an address of pool4 that is routed here: packets outside its ports', () => {
  const config: HarnessOptions = { settings: routed };
  const answering: HarnessOptions = { settings: { ...routed, answersRefused4: true } };
  const syn = tcp({ source: REMOTE, destination: ROUTED, sourcePort: 443, destinationPort: 80, flags: 2 });
  const datagram = udp({ source: REMOTE, destination: ROUTED, sourcePort: 53, destinationPort: 500 });
  const ping = icmp({ source: REMOTE, destination: ROUTED, type: 8, rest: 7 });
  const gre = ip({ source: REMOTE, destination: ROUTED, protocol: 47, payload: new Uint8Array(12) });
  const NO_ENTRY = 'drop-no-bib-entry';
  const answer13 = (about: Bytes) => answerFrom(ROUTED, 3, 13, about);
  testRows([
    silent('a SYN is not stored: nobody can ever have that port', syn, NO_ENTRY, config),
    silent('UDP', datagram, NO_ENTRY, config),
    silent('a ping does not go back to the kernel, which would route it away', ping, NO_ENTRY, config),
    {
      title: 'a SYN, with ICMP errors on',
      packet: syn,
      config: answering,
      out: answer13(syn),
      drop: NO_ENTRY,
    },
    {
      title: 'UDP, with ICMP errors on',
      packet: datagram,
      config: answering,
      out: answer13(datagram),
      drop: NO_ENTRY,
    },
    {
      title: 'a ping, with ICMP errors on',
      packet: ping,
      config: answering,
      out: answer13(ping),
      drop: NO_ENTRY,
    },
    {
      title: 'GRE: 3/2',
      packet: gre,
      config,
      out: answerFrom(ROUTED, 3, 2, gre),
      drop: 'drop-protocol',
    },
  ]);
});

function answerFrom(source: string, type: number, code: number, about: Bytes): Bytes {
  const answer = error4(type, code, about);
  return icmp({
    source,
    destination: REMOTE,
    type,
    code,
    data: answer.slice(28),
    trafficClass: 0xc0,
  });
}

describe('RFC 6052 section 3.1: addresses that the well-known prefix must not represent', () => {
  const specials = ['198.18.0.1', '198.19.255.255', '192.0.0.1', '192.0.0.170', '192.88.99.1', '100.64.0.1'];
  const anycast = toOwn('192.0.0.9', 53);
  testRows([
    ...specials.map((target) => refused6(`to ${target}: 1/1`, toOwn(target, 53), 'drop-non-global')),
    ...specials.map((source): Row => {
      const packet = udp({ ...in4, source });
      return { ...silent(`from ${source}`, packet, 'drop-non-global'), before: [udp(out6)] };
    }),
    {
      title: 'the anycast address of PCP is global, although it is inside such a range',
      packet: anycast,
      out: udp({ ...out4, destination: '192.0.0.9', destinationPort: 53 }),
    },
  ]);
});
