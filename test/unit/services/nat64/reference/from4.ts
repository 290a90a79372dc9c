/** Packets from the IPv4 side. */
import { PROTOCOL, concat, ipv6, onesSum, pseudoHeader, readU16, u16 } from '../packets.ts';
import { answer4 } from './answers.ts';
import { error4 } from './error4.ts';
import { isBadFragment, translatedFragment } from './fragments.ts';
import { udpChecksum } from './from6.ts';
import {
  ECHO_4TO6,
  KINDS,
  PROTOCOL6,
  clamp,
  header,
  hex,
  isNonGlobal,
  isWellKnown,
  neverRouted,
  isGroup,
  protocolProblem,
  setChecksum,
  sourceRoute,
  startsWith,
  transportProblem,
} from './headers.ts';
import { goesByEam, inPool, isOurs, isShared, ownHost, portKey, remote6, sessionKey } from './mappings.ts';
import type { Bib, Came, Outcome, State } from './types.ts';

/** A packet from the IPv4 side; or, with `came`, a fragment that may pass (RFC 6146 section 3, RFC 7915 section 4). */
export function from4(state: State, whole: Uint8Array, isHairpinned: boolean, came?: Came): Outcome {
  const { config, byPort, sessions } = state;
  const { mtuBytes } = config;
  const headerBytes = (whole[0] & 15) * 4;
  if (whole.length < 20 || headerBytes < 20 || whole.length < headerBytes) return { drop: 'drop-truncated' };
  const totalBytes = readU16(whole, 2);
  if (totalBytes < headerBytes || totalBytes > whole.length) return { drop: 'drop-bad-length' };
  const packet = whole.slice(0, totalBytes);
  if (onesSum(packet.slice(0, headerBytes)) !== 0xffff) return { drop: 'drop-bad-checksum' };
  const source = packet.slice(12, 16);
  const address = packet.slice(16, 20);
  const own = isShared(config, address) ? undefined : ownHost(config, address);
  if (own === undefined && !isShared(config, address))
    return { drop: config.pools.length === 0 && !config.isStateless ? 'drop-no-pool4' : 'drop-destination' };
  const first = packet[headerBytes];
  const isFragment = (readU16(packet, 6) & 0x3fff) !== 0;
  // RFC 7915 section 4.1: errors from such sources are translated, too.
  const mayBeError = packet[9] === PROTOCOL.ICMP && !isFragment && [3, 4, 5, 11, 12].includes(first);
  if (neverRouted(source) && (isGroup(source) || !mayBeError)) return { drop: 'drop-source-invalid' };
  // Without intrinsic hairpinning, packets from shared addresses to mapped ones pass through the network outside.
  const passesOutside =
    own !== undefined && config.eamHairpinning !== 'intrinsic' && isShared(config, source);
  const isFromUs = !isHairpinned && !passesOutside && isOurs(config, source);
  if (isFromUs && packet[9] !== PROTOCOL.ICMP) return { drop: 'drop-source-invalid' };
  const route = sourceRoute(packet.slice(20, headerBytes));
  if (route === 'malformed') return { drop: 'drop-bad-length' };
  if (route === 'unexpired') return answer4(state, 'drop-source-route', packet, 0x305, 0);
  const protocol = packet[9];
  const segment = packet.slice(headerBytes);
  const fragmentField = readU16(packet, 6);
  const mayFragment = (fragmentField & 0x4000) === 0;
  const offset = (fragmentField & 0x1fff) * 8;
  const hasMore = (fragmentField & 0x2000) !== 0;
  const identification = readU16(packet, 4);
  const isEcho = protocol === PROTOCOL.ICMP;
  const isUdp = protocol === PROTOCOL.UDP;
  if (isFragment && isFromUs) return { drop: 'drop-source-invalid' };
  const isOwn = own === undefined && hex(address) === hex(config.addresses[0]);
  if (protocolProblem(protocol, PROTOCOL.ICMP, own !== undefined))
    return answer4(state, 'drop-protocol', packet, 0x302, 0);
  const mappedPort = isEcho ? readU16(segment, 4) : readU16(segment, 2);
  /** For a packet without a mapping: whether it may be for a program of the appliance. */
  const kernelMayHave = (): boolean =>
    isOwn &&
    (isEcho || (isFragment && !inPool(config, address, mappedPort))) &&
    byPort.get(portKey(KINDS[protocol], address, mappedPort)) === undefined;
  const returned = { out: packet, isReturned: true };
  const refuse = (drop: string) => answer4(state, drop, packet, 0x30d, 0);
  const isBare = isUdp && readU16(segment, 6) === 0;
  const byEam = own !== undefined && goesByEam(config, isHairpinned);
  const source6 = remote6(config, source, byEam);
  const { lowestIpv6MtuBytes } = config;
  const newBytes = segment.length + (isFragment ? 48 : 40);
  /** Whether a packet to be translated may pass; returns the refusal, if any. */
  const mayPass = (): Outcome | undefined => {
    if (isWellKnown(config) && isNonGlobal(source) && startsWith(source6, config.prefix))
      return refuse('drop-non-global');
    if (packet[8] <= 1) return answer4(state, 'drop-hop-limit', packet, 0xb00, 0);
    if (newBytes <= mtuBytes || mayFragment) return undefined;
    return answer4(
      state,
      'drop-too-big',
      packet,
      0x304,
      mtuBytes - (newBytes - segment.length) + headerBytes,
    );
  };

  const cut = { limitBytes: mayFragment ? lowestIpv6MtuBytes : mtuBytes, identification };
  if (!isFragment) {
    const problem = transportProblem(protocol, segment, PROTOCOL.ICMP, own !== undefined);
    if (problem !== undefined) return { drop: problem };
    if (isBare && config.dropsZeroUdpChecksum) return refuse('drop-udp-no-checksum');
    if (isEcho) {
      if ([3, 4, 5, 11, 12].includes(segment[0])) return error4(state, packet, segment, isHairpinned);
      if (ECHO_4TO6[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
    }
    if (isFromUs) return { drop: 'drop-source-invalid' };
    if (isEcho && kernelMayHave()) return returned;
  } else if (came === undefined) {
    if (isBadFragment(offset, hasMore, segment, protocol === PROTOCOL.TCP))
      return { drop: 'drop-fragment-bad' };
    const problem = transportProblem(protocol, segment, PROTOCOL.ICMP, own !== undefined, true);
    const isOtherIcmp = isEcho && ECHO_4TO6[segment[0]] === undefined;
    const refused = isOwn ? undefined : mayPass();
    if (refused !== undefined) return refused;
    const dropsBare = config.dropsZeroUdpChecksum || (own !== undefined && !isEcho);
    const isKernels = offset === 0 && problem === undefined && isOwn && (isOtherIcmp || kernelMayHave());
    if (offset === 0 && !isKernels) {
      if (problem !== undefined) return { drop: problem };
      if (isOtherIcmp) return { drop: 'drop-icmp-type' };
      if (isBare && dropsBare) return refuse('drop-udp-no-checksum');
    }
    if (own !== undefined && !isEcho && offset > 0) {
      const like = ipv6({ source: source6, destination: own, protocol, payload: new Uint8Array() });
      const later = translatedFragment(config, 4, packet, like, segment, { offset, hasMore, identification });
      return { ...later, cut: { ...cut, offset, hasMore } };
    }
    if (own === undefined || isEcho)
      return {
        fragment: {
          version: 4,
          key: `4 ${hex(source)} ${hex(address)} ${protocol} ${hex(packet.slice(4, 6))}`,
          offset,
          hasMore,
          identification,
          data: segment,
          packet,
          isKernels,
          needsAll: offset === 0 && (isEcho || isBare),
          hasPassed: false,
        },
      };
  }
  const refused = mayPass();
  if (refused !== undefined) return refused;
  if (offset > 0) return {};
  const messageBytes = came?.all?.length ?? segment.length;
  if (isUdp && came?.all !== undefined && readU16(segment, 4) > messageBytes)
    return { drop: 'drop-bad-length' };
  const kind = protocol === PROTOCOL.ICMPV6 ? undefined : KINDS[protocol];
  const remotePort = isEcho || kind === undefined ? 0 : readU16(segment, 0);
  let bib: Pick<Bib, 'host' | 'hostPort'>;
  if (own !== undefined) {
    bib = { host: own, hostPort: kind === undefined ? 0 : mappedPort };
  } else {
    if (kind === undefined) throw new Error('unreachable');
    const opens = kind !== 'tcp' || (segment[13] & 6) === 2;
    const found = byPort.get(portKey(kind, address, mappedPort));
    if (found === undefined) {
      // N11: a SYN is stored if there is room and if a host can ever get that port.
      const isStored = kind === 'tcp' && opens && inPool(config, address, mappedPort);
      return isStored ? {} : refuse('drop-no-bib-entry');
    }
    if (opens) sessions.add(sessionKey(found, source, remotePort));
    bib = found;
  }

  const translated = segment.slice();
  if (kind !== undefined) translated.set(u16(bib.hostPort), isEcho ? 4 : 2);
  if (isEcho) translated[0] = ECHO_4TO6[segment[0]];
  const nextHeader = kind === undefined ? protocol : PROTOCOL6[kind];
  if (kind === 'udp' && readU16(segment, 6) === 0) {
    const all = concat(translated, (came?.all ?? segment).slice(segment.length));
    translated.set(u16(udpChecksum(source6, bib.host, all)), 6);
  } else {
    const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(source, address, protocol, messageBytes);
    const pseudo6 = pseudoHeader(source6, bib.host, nextHeader, messageBytes);
    setChecksum(
      translated,
      kind,
      concat(pseudo4, header(segment, kind)),
      concat(pseudo6, header(translated, kind)),
    );
  }
  if (kind === 'tcp') clamp(translated, config.maxSegmentBytes);
  const mustCut = isFragment || (mayFragment && newBytes > lowestIpv6MtuBytes);
  return {
    ...(mustCut && { cut: { ...cut, offset, hasMore } }),
    out: ipv6({
      source: source6,
      destination: bib.host,
      protocol: nextHeader,
      payload: translated,
      hopLimit: packet[8] - 1,
      trafficClass: config.isClassZero ? 0 : packet[1],
    }),
  };
}
