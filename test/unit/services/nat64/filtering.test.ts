/** Which packets pass, by mapping, session and policy (RFC 6146 section 3.5). */
import { OWN_IPV6, POOL4 } from './harness.ts';
import { TCP_FLAGS, icmp, tcp, udp } from './packets.ts';
import {
  IDENTIFICATION,
  out6,
  out4,
  in4,
  in6,
  data,
  error4,
  error6,
  notAllowed,
  toPrivate,
  testRows,
} from './rows.ts';

testRows([
  {
    title: 'UDP in from another address and port: filtering is independent of the endpoint (N8)',
    before: [udp(out6)],
    packet: udp({ ...in4, source: '192.0.2.7', sourcePort: 9, data }),
    out: udp({ ...in6, source: '64:ff9b::192.0.2.7', sourcePort: 9, data }),
  },
  {
    title: 'UDP in without BIB entry: no answer (N7)',
    packet: udp(in4),
    out: undefined,
    drop: 'drop-no-bib-entry',
  },
  {
    title: 'TCP in: a SYN to a BIB entry passes (N12)',
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...in4, source: '192.0.2.7', flags: TCP_FLAGS.SYN }),
    out: tcp({ ...in6, source: '64:ff9b::192.0.2.7', flags: TCP_FLAGS.SYN }),
  },
  {
    title: 'TCP in: an unsolicited SYN: no answer (N39)',
    packet: tcp({ ...in4, flags: TCP_FLAGS.SYN }),
    out: undefined,
  },
  {
    title: 'TCP in: an unsolicited SYN, if the policy is to drop it (N11)',
    config: { settings: { storesSyns: false } },
    packet: tcp({ ...in4, flags: TCP_FLAGS.SYN }),
    out: undefined,
    drop: 'drop-no-bib-entry',
  },
  {
    title: 'address-dependent filtering: another port of an address that the host has sent to (N8)',
    config: { settings: { isAddressDependent: true } },
    before: [udp(out6)],
    packet: udp({ ...in4, sourcePort: 999, data }),
    out: udp({ ...in6, sourcePort: 999, data }),
  },
  {
    title: 'address-dependent filtering: another address (N8)',
    config: { settings: { isAddressDependent: true } },
    before: [udp(out6)],
    packet: udp({ ...in4, source: '192.0.2.7', data }),
    out: undefined,
    drop: 'drop-filtered',
  },
  {
    title: 'address-dependent filtering: a SYN from another address is stored (N12)',
    config: { settings: { isAddressDependent: true } },
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...in4, source: '192.0.2.7', flags: TCP_FLAGS.SYN }),
    out: undefined,
  },
  {
    title: 'TCP out: a segment that opens no connection, without BIB entry (N13)',
    packet: tcp({ ...out6, flags: TCP_FLAGS.ACK }),
    out: undefined,
    drop: 'drop-tcp-not-syn',
  },
  {
    title: 'TCP out: a segment that opens no connection, with a BIB entry (N13)',
    before: [tcp({ ...out6, flags: TCP_FLAGS.SYN })],
    packet: tcp({ ...out6, destinationPort: 80, flags: TCP_FLAGS.ACK }),
    out: tcp({ ...out4, destinationPort: 80, flags: TCP_FLAGS.ACK, identification: IDENTIFICATION + 1 }),
  },
  {
    title: 'source not in nat64.allow: 1/1',
    packet: notAllowed,
    out: icmp({ source: OWN_IPV6, destination: '2001:db8:2::1', type: 1, code: 1, data: notAllowed }),
    drop: 'drop-not-allowed',
  },
  {
    title: 'private destination behind the well-known prefix: 1/1 (N34)',
    packet: toPrivate,
    out: error6(1, 1, toPrivate),
    drop: 'drop-non-global',
  },
  {
    title: 'private destination behind another prefix: translated (N34)',
    config: { prefix: '2001:db8:64::/96' },
    packet: udp({ ...out6, destination: '2001:db8:64::192.168.1.1', data }),
    out: udp({ ...out4, destination: '192.168.1.1', data }),
  },
  {
    title: 'IPv6 source inside the prefix (N5)',
    packet: udp({ ...out6, source: '64:ff9b::192.0.2.1' }),
    out: undefined,
    drop: 'drop-source-in-prefix',
  },
  {
    title: 'destination outside the prefix (N5)',
    packet: udp({ ...out6, destination: '2001:db8::1' }),
    out: undefined,
    drop: 'drop-destination',
  },
  {
    title: 'UDP in without BIB entry, with ICMP errors on: 3/13 (N7)',
    config: { settings: { answersRefused4: true } },
    packet: udp(in4),
    out: error4(3, 13, udp(in4)),
    drop: 'drop-no-bib-entry',
  },
  {
    title: 'address-dependent filtering, with ICMP errors on: 3/13 (N8)',
    config: { settings: { isAddressDependent: true, answersRefused4: true } },
    before: [udp(out6)],
    packet: udp({ ...in4, source: '192.0.2.7', data }),
    out: icmp({
      ...{ source: POOL4, destination: '192.0.2.7', type: 3, code: 13, trafficClass: 0xc0 },
      data: udp({ ...in4, source: '192.0.2.7', data }),
    }),
    drop: 'drop-filtered',
  },
  {
    title: 'an unsolicited SYN, with ICMP errors on: no answer for 6 seconds first (N39)',
    config: { settings: { answersRefused4: true } },
    packet: tcp({ ...in4, flags: TCP_FLAGS.SYN }),
    out: undefined,
  },
]);
