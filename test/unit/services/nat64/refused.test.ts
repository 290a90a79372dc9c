/** Packets that are not translated, and what their sender is told. */
import { HOST } from './harness.ts';
import { concat, ip, udp } from './packets.ts';
import {
  REMOTE6,
  out6,
  out4,
  in4,
  in6,
  data,
  error6,
  error4,
  expired6,
  expired4,
  sctp6,
  sctp4,
  jumbo4,
  routed6,
  routed4,
  testRows,
} from './rows.ts';

testRows([
  {
    title: 'hop limit used up: 3/0',
    packet: expired6,
    out: error6(3, 0, expired6),
    drop: 'drop-hop-limit',
  },
  { title: 'TTL used up: 11/0', packet: expired4, out: error4(11, 0, expired4), drop: 'drop-hop-limit' },
  {
    title: 'other transport, from IPv6: 1/4 (N4)',
    packet: sctp6,
    out: error6(1, 4, sctp6),
    drop: 'drop-protocol',
  },
  {
    title: 'other transport, from IPv4: 3/2 (N4)',
    packet: sctp4,
    out: error4(3, 2, sctp4),
    drop: 'drop-protocol',
  },
  {
    title: 'too big for IPv6, DF set: 3/4 with the MTU less 20 (N23)',
    before: [udp(out6)],
    packet: jumbo4,
    out: error4(3, 4, jumbo4, 1480),
    drop: 'drop-too-big',
  },
  {
    title: 'routing header with segments left: 4/0 and where (N29)',
    packet: routed6,
    out: error6(4, 0, routed6, 43),
    drop: 'drop-source-route',
  },
  {
    title: 'unexpired source route: 3/5 (N23)',
    packet: routed4,
    out: error4(3, 5, routed4),
    drop: 'drop-source-route',
  },
  {
    title: 'IPv4 options are left out (N23)',
    before: [udp(out6)],
    packet: udp({ ...in4, data, options: Uint8Array.from([7, 7, 4, 0, 0, 0, 0, 0]) }),
    out: udp({ ...in6, data }),
  },
  {
    title: 'extension headers are left out (N29)',
    packet: ip({
      source: HOST,
      destination: REMOTE6,
      protocol: 0,
      payload: concat(
        Uint8Array.from([60, 0, 1, 4, 0, 0, 0, 0]),
        Uint8Array.from([17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        udp({ ...out6, data }).slice(40),
      ),
    }),
    out: udp({ ...out4, data }),
  },
  {
    title: 'no port left: 1/3 (N9)',
    before: [udp(out6)],
    packet: udp({ ...out6, sourcePort: 5001 }),
    out: error6(1, 3, udp({ ...out6, sourcePort: 5001 })),
    drop: 'drop-pool4-exhausted',
  },
]);
