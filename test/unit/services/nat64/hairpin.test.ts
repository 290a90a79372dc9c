/** Packets from one host to the mapping of another (RFC 6146 section 3.8). */
import { HOST, POOL4 } from './harness.ts';
import { icmp, udp } from './packets.ts';
import { PORT, out6, in6, data, testRows } from './rows.ts';

testRows([
  {
    title:
      "hairpin: a packet of one host to the mapping of another has the sender's mapping as its source (N19)",
    config: { ports: [PORT, PORT + 1] },
    before: [udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 })],
    packet: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, data }),
    out: udp({
      ...in6,
      source: `64:ff9b::${POOL4}`,
      destination: '2001:db8:1::11',
      sourcePort: PORT,
      destinationPort: 6001,
      data,
      hopLimit: 62,
    }),
  },
  {
    title: 'hairpin: an error about such a packet reaches the host that sent it (N40)',
    config: { ports: [PORT, PORT + 1] },
    before: [
      udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 }),
      udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, data }),
    ],
    packet: icmp({
      source: '2001:db8:1::11',
      destination: `64:ff9b::${POOL4}`,
      type: 1,
      code: 4,
      data: udp({
        source: `64:ff9b::${POOL4}`,
        destination: '2001:db8:1::11',
        sourcePort: PORT,
        destinationPort: 6001,
        data,
      }),
    }),
    out: icmp({
      source: `64:ff9b::${POOL4}`,
      destination: HOST,
      type: 1,
      code: 4,
      hopLimit: 62,
      data: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, data }),
    }),
  },
  {
    title:
      'hairpin: the hop limit runs out between the two passes; the translator sends the error to the host',
    config: { ports: [PORT, PORT + 1] },
    before: [udp({ ...out6, source: '2001:db8:1::11', sourcePort: 6001 })],
    packet: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, hopLimit: 2 }),
    out: icmp({
      source: `64:ff9b::${POOL4}`,
      destination: HOST,
      type: 3,
      hopLimit: 63,
      trafficClass: 0xc0,
      data: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1, hopLimit: 1 }),
    }),
    drop: 'drop-hop-limit',
  },
  {
    title: 'hairpin: to an unused port of the pool',
    config: { ports: [PORT, PORT + 1] },
    packet: udp({ ...out6, destination: `64:ff9b::${POOL4}`, destinationPort: PORT + 1 }),
    out: undefined,
    drop: 'drop-no-bib-entry',
  },
]);
