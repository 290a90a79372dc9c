/** Generated packets: well-formed ones of every kind. */
import fc from 'fast-check';
import { type Bytes, concat, icmp, ip, ipv6, tcp, udp, u16 } from '../packets.ts';
import {
  port,
  mappedPort,
  data,
  longData,
  flags,
  common,
  anyData,
  NO_PREFIX_OCTET,
  outbound,
  fragment,
  options,
  definedOptions,
  often,
  tcpOptions,
  reheader,
  extended,
  asFragment6,
  quotedPacket,
} from './arbitrary-parts.ts';

/** The possible sources and destinations. */
export interface Ends {
  /** On the IPv6 side. */
  readonly hosts: readonly string[];
  /** On the IPv4 side, or our own hosts as seen from there. */
  readonly remotes: readonly string[];
  /** One of our addresses on the IPv4 side. */
  readonly pool4: string;
  /** IPv6 addresses that represent nodes on the IPv4 side by an address mapping. */
  readonly mapped6?: readonly string[];
}

/** Well-formed packets, including some that no host should send. */
export function wellFormedPackets({ hosts, remotes, pool4, mapped6 = [] }: Ends): fc.Arbitrary<Bytes> {
  const host = fc.constantFrom(...hosts);
  const remote = fc.constantFrom(...remotes);
  const tcp6 = fc
    .record({
      source: host,
      remote,
      sourcePort: port,
      destinationPort: port,
      flags,
      data: anyData,
      ...common,
    })
    .map((fields) => tcp({ ...fields, ...outbound(fields) }));
  const udp6 = fc
    .record({
      source: host,
      remote,
      sourcePort: port,
      destinationPort: port,
      data: anyData,
      isBare: fc.constantFrom(false, false, false, true),
      ...common,
    })
    .map(({ isBare, ...fields }) => {
      const packet = udp({ ...fields, ...outbound(fields) });
      if (isBare) packet.set([0, 0], 46);
      return packet;
    });
  const echo6 = fc
    .record({
      source: host,
      remote,
      type: fc.constantFrom(128, 129, 135),
      rest: port,
      data: anyData,
      ...common,
    })
    .map((fields) => icmp({ ...fields, ...outbound(fields), rest: fields.rest * 65536 + 7 }));
  const withExtensions = fc
    .record({ inner: udp6, kind: fc.constantFrom(0, 43, 44, 60, 51), segmentsLeft: fc.constantFrom(0, 0, 1) })
    .map(({ inner, kind, segmentsLeft }) =>
      ipv6({
        source: inner.slice(8, 24),
        destination: inner.slice(24, 40),
        protocol: kind,
        payload: concat(Uint8Array.from([inner[6], 0, 0, segmentsLeft, 0, 0, 0, 0]), inner.slice(40)),
      }),
    );

  const inbound = (fields: { source: string }) => ({ source: fields.source, destination: pool4 });
  const fields4 = { source: remote, fragment, options, ...common };

  const tcp4 = fc
    .record({ ...fields4, sourcePort: port, destinationPort: mappedPort, flags, data: anyData })
    // The options of the packet are IPv4 options here, not TCP options.
    .map(({ options: ipOptions, ...fields }) => {
      const plain = tcp({ ...fields, ...inbound(fields) });
      return ipOptions === undefined ? plain : reheader(plain, ipOptions, fields.fragment);
    });
  const udp4 = fc
    .record({ ...fields4, sourcePort: port, destinationPort: mappedPort, data: anyData, bare: fc.boolean() })
    .map(({ bare, ...fields }) => {
      const packet = udp({ ...definedOptions(fields), ...inbound(fields) });
      if (bare) packet.set([0, 0], (packet[0] & 15) * 4 + 6);
      return packet;
    });
  const echo4 = fc
    .record({ ...fields4, type: fc.constantFrom(0, 8, 13), rest: mappedPort, data: anyData })
    .map((fields) => icmp({ ...definedOptions(fields), ...inbound(fields), rest: fields.rest * 65536 + 7 }));

  /** Most of the time, errors quote packets as the translator would have sent them. */
  const error4 = fc
    .record({
      source: fc.constantFrom(
        '203.0.113.9',
        '198.51.100.254',
        '10.1.2.3',
        '127.0.0.1',
        '169.254.7.1',
        '240.0.0.1',
        '0.0.0.9',
        '255.255.255.255',
      ),
      quotedRemote: remote,
      kind: fc.constantFrom('tcp', 'udp', 'icmp'),
      mappedPort,
      port,
      type: fc.constantFrom(3, 3, 3, 11, 12, 4, 5),
      code: fc.integer({ min: 0, max: 16 }),
      rest: fc.constantFrom(0, 1, 576, 1300, 1480, 0xffff, 0x0400_0000, 0x1000_0000, 0x0020_0000),
      quotedData: fc.oneof(data, longData),
      cut: fc.constantFrom(28, 27, 36, 60, 148, 1500),
      quotedFragment: fc.constantFrom(undefined, undefined, 0x2000, 0x6000, 0x2001, 0x0005),
      extensions: fc.option(fc.constantFrom(4, 12, 600, 1300), { nil: 0 }),
      ...common,
    })
    .map((fields) => {
      const quoted = quotedPacket(
        pool4,
        fields.quotedRemote,
        fields.kind,
        fields.mappedPort,
        fields.port,
        fields.quotedData,
        [8, 0],
      ); // prettier-ignore
      if (fields.quotedFragment !== undefined) quoted.set(u16(fields.quotedFragment), 6);
      return icmp({
        ...fields,
        destination: pool4,
        ...extended(quoted.slice(0, fields.cut), fields.extensions, 4, 65_536, fields.rest),
      });
    });

  const error6 = fc
    .record({
      source: fc.constantFrom(...hosts, '2001:db8:ffff::1', '2001:db8:ffff::2', '2001:db8:ffff::3'),
      quotedRemote: remote,
      peer: fc.constantFrom('203.0.113.9', '203.0.113.9', '10.0.0.1', '127.0.0.1'),
      host,
      kind: fc.constantFrom('tcp', 'udp', 'icmp'),
      hostPort: port,
      port,
      type: fc.constantFrom(1, 1, 2, 3, 4, 100),
      code: fc.integer({ min: 0, max: 6 }),
      rest: fc.constantFrom(0, 4, 6, 7, 20, 39, 40, 1280, 1400, 9000, 0x0700_0000, 0xffff_ffff),
      quotedData: fc.oneof(data, longData),
      cut: fc.constantFrom(48, 47, 56, 80, 168, 1232),
      quotedFragment: fc.constantFrom(undefined, undefined, 1, 0, 9, 16),
      extensions: fc.option(fc.constantFrom(4, 12, 600), { nil: 0 }),
      ...common,
    })
    .map((fields) => {
      const from = `${NO_PREFIX_OCTET}${fields.quotedRemote}`;
      const quoted = quotedPacket(
        from,
        fields.host,
        fields.kind,
        fields.port,
        fields.hostPort,
        fields.quotedData,
        [129, 128],
      ); // prettier-ignore
      const cut = fields.quotedFragment === undefined ? quoted : asFragment6(quoted, fields.quotedFragment);
      return icmp({
        ...fields,
        destination: `${NO_PREFIX_OCTET}${fields.peer}`,
        ...extended(cut.slice(0, fields.cut), fields.extensions, 8, 2 ** 24, fields.rest),
      });
    });

  const inward = { source: '203.0.113.9', destination: pool4 };
  const outward = { source: hosts[0], destination: '64:ff9b::203.0.113.9' };
  const otherProtocol = fc
    .record({ isIpv4: fc.boolean(), protocol: fc.constantFrom(41, 132, 59), payload: data })
    .map(({ isIpv4, protocol, payload }) => ip({ ...(isIpv4 ? inward : outward), protocol, payload }));
  const anyIcmp = fc
    .record({ isIpv4: fc.boolean(), type: fc.nat(255), code: fc.nat(255), rest: fc.nat(0xffffffff), data })
    .map(({ isIpv4, ...fields }) => icmp({ ...(isIpv4 ? inward : outward), ...fields }));

  const strange6 = fc
    .record({
      source: fc.constantFrom(
        '::1',
        'fe80::1',
        'ff02::1',
        '64:ff9b::203.0.113.9',
        '2001:db8:2::1',
        '::ffff:203.0.113.9',
        '::',
      ), // prettier-ignore
      destination: fc.constantFrom(
        '64:ff9b::10.0.0.1',
        '64:ff9b::203.0.113.9',
        '64:ff9b::127.0.0.1',
        '64:ff9b::198.51.100.1',
        '64:ff9b::203.0.113.14',
        '64:ff9b::192.0.0.8',
        '64:ff9b::192.0.0.9',
        '64:ff9b::198.19.0.1',
        '2001:db8::1',
        'ff02::1',
      ), // prettier-ignore
      sourcePort: port,
      destinationPort: fc.constantFrom(80, 40_003),
    })
    .map((fields) => udp(fields));
  const toPool = {
    source: host,
    destination: fc.constantFrom(pool4, ...remotes).map((address) => `64:ff9b::${address}`),
    sourcePort: port,
    destinationPort: mappedPort,
    data: anyData,
    flags,
    ...common,
  };
  const hairpin = fc.oneof(
    fc.record(toPool).map((fields) => udp(fields)),
    fc.record(toPool).map((fields) => tcp(fields)),
    // An error about a packet from another host's mapping.
    fc
      .record({
        ...toPool,
        router: fc.constantFrom('2001:db8:ffff::1', ...hosts),
        isTcp: fc.boolean(),
      })
      .map(({ router, source, destination, sourcePort, destinationPort, isTcp, ...fields }) =>
        icmp({
          ...fields,
          source: router,
          destination,
          type: 1,
          code: 3,
          data: (isTcp ? tcp : udp)({
            source: destination,
            destination: source,
            sourcePort: destinationPort,
            destinationPort: sourcePort,
          }),
        }),
      ),
  );
  const synOptions = fc
    .record({
      isOut: fc.boolean(),
      host,
      remote,
      port,
      mappedPort,
      flags: fc.constantFrom(2, 18),
      tcpOptions,
    })
    .map(({ isOut, ...fields }) => {
      const padded = [...fields.tcpOptions, 0, 0, 0].slice(0, Math.ceil(fields.tcpOptions.length / 4) * 4);
      const segment = { flags: fields.flags, options: Uint8Array.from(padded), destinationPort: 53 };
      return isOut
        ? tcp({
            ...segment,
            source: fields.host,
            destination: `64:ff9b::${fields.remote}`,
            sourcePort: fields.port,
          })
        : tcp({
            ...segment,
            source: fields.remote,
            destination: pool4,
            sourcePort: 53,
            destinationPort: fields.mappedPort,
          });
    });

  const strange4 = fc
    .record({
      source: fc.constantFrom(
        '10.0.0.1',
        '127.0.0.1',
        '224.0.0.1',
        '0.0.0.0',
        '203.0.113.9',
        '203.0.113.14',
        '198.51.100.1',
        '192.0.0.8',
        '198.18.255.1',
      ), // prettier-ignore
      destination: fc.constantFrom(pool4, '198.51.100.2'),
      sourcePort: port,
      destinationPort: mappedPort,
    })
    .map((fields) => udp(fields));

  /** Packets between two addresses that mappings or the prefix represent, in all four combinations, and errors about them. */
  const seen6 = fc.constantFrom(...mapped6, ...hosts, ...remotes.map((address) => `64:ff9b::${address}`));
  const toMapped = fc
    .record({ source: seen6, destination: seen6, peer: seen6, port, hostPort: port, isError: fc.boolean() })
    .map(({ source, destination, peer, port: sourcePort, hostPort, isError }) => {
      const datagram = { source, destination, sourcePort, destinationPort: hostPort };
      if (!isError) return udp(datagram);
      return icmp({ source: peer, destination: source, type: 1, code: 0, data: udp(datagram) });
    });
  const seen4 = fc.constantFrom(...remotes, pool4);
  const fromMapped = fc
    .record({ source: seen4, destination: seen4, peer: seen4, port, mappedPort, isError: fc.boolean() })
    .map(({ source, destination, peer, port: sourcePort, mappedPort: destinationPort, isError }) => {
      const datagram = { source, destination, sourcePort, destinationPort };
      if (!isError) return udp(datagram);
      return icmp({ source: peer, destination: source, type: 3, code: 1, data: udp(datagram) });
    });

  return fc.oneof(
    often(toMapped),
    fromMapped,
    often(tcp6),
    often(udp6),
    often(echo6),
    often(tcp4),
    often(udp4),
    often(echo4),
    often(error4),
    often(error6),
    withExtensions,
    otherProtocol,
    anyIcmp,
    strange6,
    often(hairpin),
    often(synOptions),
    strange4,
  );
}
