/** Packets from the IPv4 side. */
import {
  PROTOCOL,
  checksum,
  concat,
  ipv6,
  onesSum,
  pseudoHeader,
  readU16,
  u16,
  type Bytes,
} from '../packets.ts';
import { answer4 } from './answers.ts';
import { error4 } from './error4.ts';
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
  setChecksum,
  sourceRoute,
  startsWith,
  transportProblem,
} from './headers.ts';
import { goesByEam, inPool, isOurs, isShared, ownHost, portKey, remote6, sessionKey } from './mappings.ts';
import { type Bib, type Came, type Outcome, type State, WHOLE } from './types.ts';

/** A packet from the IPv4 side (RFC 6146 section 3, RFC 7915 section 4). */
export function from4(state: State, whole: Uint8Array, came: Came, isHairpinned: boolean): Outcome {
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
  const isLater = (readU16(packet, 6) & 0x1fff) !== 0;
  // RFC 7915 section 4.1: errors are translated from such sources too.
  const mayBeError = packet[9] === PROTOCOL.ICMP && (isLater || [3, 4, 5, 11, 12].includes(first));
  if (neverRouted(source) && (isGroup(source) || !mayBeError)) return { drop: 'drop-source-invalid' };
  // Without intrinsic hairpinning what goes from shared addresses to mapped ones passes outside.
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
  if ((fragmentField & 0x3fff) !== 0) {
    if (!mayFragment && segment.length + 48 > mtuBytes)
      return answer4(state, 'drop-too-big', packet, 0x304, mtuBytes - 48 + headerBytes);
    const fragment = {
      key: `4 ${hex(source)} ${hex(address)} ${protocol} ${hex(packet.slice(4, 6))}`,
      offset: (fragmentField & 0x1fff) * 8,
      hasMore: (fragmentField & 0x2000) !== 0,
      data: segment,
      identification: readU16(packet, 4),
      rebuild: (data: Bytes) => {
        const fixed = concat(packet.slice(0, headerBytes), data);
        fixed.set(u16(Math.min(fixed.length, 65_535)), 2);
        fixed.set(u16(fragmentField & 0x4000), 6);
        fixed.set([0, 0], 10);
        fixed.set(u16(checksum(fixed.slice(0, headerBytes))), 10);
        return fixed;
      },
    };
    return { fragment };
  }
  const problem = transportProblem(protocol, segment, PROTOCOL.ICMP, own !== undefined);
  if (problem === 'drop-protocol') return answer4(state, problem, packet, 0x302, 0);
  if (problem !== undefined) return { drop: problem };
  const refuse = (drop: string) => answer4(state, drop, packet, 0x30d, 0);
  if (config.dropsZeroUdpChecksum && protocol === PROTOCOL.UDP && readU16(segment, 6) === 0)
    return refuse('drop-udp-no-checksum');
  const isEcho = protocol === PROTOCOL.ICMP;
  if (isEcho) {
    if ([3, 4, 5, 11, 12].includes(segment[0])) return error4(state, packet, segment, isHairpinned);
    if (ECHO_4TO6[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
  }
  if (isFromUs) return { drop: 'drop-source-invalid' };
  const byEam = own !== undefined && goesByEam(config, isHairpinned);
  const source6 = remote6(config, source, byEam);
  if (isWellKnown(config) && isNonGlobal(source) && startsWith(source6, config.prefix))
    return refuse('drop-non-global');
  if (packet[8] <= 1) return answer4(state, 'drop-hop-limit', packet, 0xb00, 0);
  const { lowestIpv6MtuBytes } = config;
  const newBytes = segment.length + 40;
  if (came === WHOLE && newBytes > mtuBytes && !mayFragment) {
    return answer4(state, 'drop-too-big', packet, 0x304, mtuBytes - 40 + headerBytes);
  }
  const kind = protocol === PROTOCOL.ICMPV6 ? undefined : KINDS[protocol];
  const mappedPort = kind === undefined ? 0 : readU16(segment, isEcho ? 4 : 2);
  const remotePort = isEcho || kind === undefined ? 0 : readU16(segment, 0);
  let bib: Pick<Bib, 'host' | 'hostPort'>;
  if (own !== undefined) {
    bib = { host: own, hostPort: mappedPort };
  } else {
    if (kind === undefined) throw new Error('unreachable');
    const opens = kind !== 'tcp' || (segment[13] & 6) === 2;
    const found = byPort.get(portKey(kind, address, mappedPort));
    if (found === undefined) {
      const isForKernel = isEcho || (came !== WHOLE && !inPool(config, address, mappedPort));
      if (isForKernel && hex(address) === hex(config.addresses[0]))
        return { out: whole.slice(0, totalBytes), isReturned: true };
      // N11: a SYN is stored, if there is room, and if a host may ever have that port.
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
    const covered = translated.slice(0, readU16(segment, 4));
    const sum = checksum(pseudoHeader(source6, bib.host, nextHeader, covered.length), covered);
    translated.set(u16(sum === 0 ? 0xffff : sum), 6);
  } else {
    const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(source, address, protocol, segment.length);
    const pseudo6 = pseudoHeader(source6, bib.host, nextHeader, segment.length);
    setChecksum(
      translated,
      kind,
      concat(pseudo4, header(segment, kind)),
      concat(pseudo6, header(translated, kind)),
    );
  }
  if (kind === 'tcp') clamp(translated, config.maxSegmentBytes);
  const mustCut = came !== WHOLE || newBytes > lowestIpv6MtuBytes;
  const limitBytes = mayFragment ? lowestIpv6MtuBytes : came === WHOLE ? 0 : mtuBytes;
  const cutCame = came === WHOLE ? { cuts: [], identification: readU16(packet, 4) } : came;
  return {
    ...(mustCut && limitBytes > 0 && { cut: { limitBytes, came: cutCame } }),
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
