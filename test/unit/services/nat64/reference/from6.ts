/** Packets from the IPv6 side. */
import { PROTOCOL, checksum, concat, ipv4, pseudoHeader, readU16, u16 } from '../packets.ts';
import { answer6 } from './answers.ts';
import { error6 } from './error6.ts';
import { isBadFragment, translatedFragment } from './fragments.ts';
import {
  ECHO_6TO4,
  KINDS,
  PROTOCOL4,
  clamp,
  header,
  hex,
  isUnicastHost,
  protocolProblem,
  setChecksum,
  startsWith,
  transportProblem,
} from './headers.ts';
import {
  freePorts,
  isHairpin,
  isOurs,
  newBib,
  ownAddress4,
  refusedRemote,
  remote4,
  sessionKey,
} from './mappings.ts';
import type { Bib, Came, Choices, Outcome, State } from './types.ts';

/** A packet from the IPv6 side; or, with `came`, a first fragment that may pass (RFC 6146 section 3, RFC 7915 section 5). */
export function from6(state: State, whole: Uint8Array, choices: Choices, came?: Came): Outcome {
  const { config, byHost, sessions } = state;
  const { prefix, allow, mtuBytes } = config;
  if (whole.length < 40) return { drop: 'drop-truncated' };
  const payloadBytes = readU16(whole, 4);
  if (whole.length < 40 + payloadBytes) return { drop: 'drop-bad-length' };
  const packet = whole.slice(0, 40 + payloadBytes);
  const source = packet.slice(8, 24);
  const destination = packet.slice(24, 40);
  const to = remote4(config, destination);
  if (to === undefined) return { drop: 'drop-destination' };
  if (!config.isStateless && startsWith(source, prefix)) return { drop: 'drop-source-in-prefix' };
  const own = ownAddress4(config, source);
  const hopLimit = packet[7];
  const trafficClass = config.tos ?? (readU16(packet, 0) >> 4) & 255;

  let nextHeader = packet[6];
  let segment = packet.slice(40);
  while (nextHeader === 0 || nextHeader === 43 || nextHeader === 60) {
    if (segment.length < 8) return { drop: 'drop-truncated' };
    if (nextHeader === 43 && segment[3] > 0) {
      const pointer = packet.length - segment.length + 3;
      return answer6(state, 'drop-source-route', packet, 0x400, pointer);
    }
    const headerBytes = 8 * (segment[1] + 1);
    if (headerBytes > segment.length) return { drop: 'drop-bad-length' };
    nextHeader = segment[0];
    segment = segment.slice(headerBytes);
  }
  let identification: number | undefined;
  let fragment: { readonly id: string; readonly offset: number; readonly hasMore: boolean } | undefined;
  if (nextHeader === 44) {
    if (segment.length < 8) return { drop: 'drop-truncated' };
    const fragmentField = readU16(segment, 2);
    identification = readU16(segment, 6);
    nextHeader = segment[0];
    if ((fragmentField & 0xfff9) !== 0)
      fragment = {
        id: hex(segment.slice(4, 8)),
        offset: fragmentField & 0xfff8,
        hasMore: (fragmentField & 1) !== 0,
      };
    segment = segment.slice(8);
  }
  const isIcmp = nextHeader === PROTOCOL.ICMPV6;
  const answer = (drop: string, typeAndCode: number, value = 0) =>
    answer6(state, drop, packet, typeAndCode, value);
  if (identification !== undefined && [0, 43, 44, 51, 60, 135, 139, 140].includes(nextHeader))
    return answer('drop-fragment-extension', 0x101);
  if (protocolProblem(nextHeader, PROTOCOL.ICMPV6, own !== undefined)) return answer('drop-protocol', 0x104);
  const isUdp = nextHeader === PROTOCOL.UDP;
  if (fragment === undefined) {
    const problem = transportProblem(nextHeader, segment, PROTOCOL.ICMPV6, own !== undefined);
    if (problem !== undefined) return { drop: problem };
    if (isIcmp) {
      if (segment[0] < 128) return error6(state, packet, segment, choices, identification);
      if (ECHO_6TO4[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
    }
  }
  const isEcho = isIcmp;
  const isBare = isUdp && readU16(segment, 6) === 0;
  if (fragment === undefined && isBare && config.dropsZeroUdpChecksum6)
    return answer('drop-udp-no-checksum', 0x101);
  if (!isUnicastHost(source)) return { drop: 'drop-source-invalid' };
  if (!startsWith(source, allow)) return answer('drop-not-allowed', 0x101);
  if (own !== undefined && isOurs(config, own)) return { drop: 'drop-source-invalid' };
  const remote = to.address;
  const refused = refusedRemote(config, to);
  if (refused !== undefined) return answer(refused, refused === 'drop-no-route' ? 0x100 : 0x101);
  if (hopLimit <= 1) return answer('drop-hop-limit', 0x300);
  const newBytes = fragment === undefined ? packet.length - 20 : segment.length + 20;
  if (newBytes > mtuBytes) return answer('drop-too-big', 0x200, mtuBytes + 20);

  if (fragment !== undefined && came === undefined) {
    const { offset, hasMore, id } = fragment;
    if (isBadFragment(offset, hasMore, segment, nextHeader === PROTOCOL.TCP))
      return { drop: 'drop-fragment-bad' };
    if (own === undefined && config.isStateless) return answer('drop-untranslatable', 0x101);
    if (own === undefined && to.hasEam) return { drop: 'drop-destination' };
    // Only the ports show whether a packet to us is for a mapping.
    const passes = own !== undefined && !isEcho && !isOurs(config, remote);
    if (passes && offset > 0) {
      const like = ipv4({
        source: own,
        destination: remote,
        protocol: nextHeader,
        payload: new Uint8Array(),
      });
      const where = { offset, hasMore, identification: identification ?? 0 };
      const later = translatedFragment(config, 6, packet, like, segment, where);
      return { ...later, isHairpin: isHairpin(state, undefined, to, 0) };
    }
    if (offset === 0) {
      const problem = transportProblem(nextHeader, segment, PROTOCOL.ICMPV6, own !== undefined, true);
      if (problem !== undefined) return { drop: problem };
      if (isEcho && ECHO_6TO4[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
      if (isBare && config.dropsZeroUdpChecksum6) return answer('drop-udp-no-checksum', 0x101);
    }
    if (!passes)
      return {
        fragment: {
          version: 6,
          key: `6 ${hex(source)} ${hex(destination)} ${id}`,
          offset,
          hasMore,
          identification: identification ?? 0,
          data: segment,
          packet,
          isKernels: false,
          needsAll: offset === 0 && (isEcho || isBare),
          hasPassed: false,
        },
      };
  }
  const messageBytes = came?.all?.length ?? segment.length;
  if (isUdp && came?.all !== undefined && readU16(segment, 4) > messageBytes)
    return { drop: 'drop-bad-length' };
  const kind = nextHeader === PROTOCOL.ICMP ? undefined : KINDS[nextHeader];
  const portAt = isEcho ? 4 : 0;
  const hostPort = kind === undefined ? 0 : readU16(segment, portAt);
  const remotePort = isEcho || kind === undefined ? 0 : readU16(segment, 2);

  const comesBackIn = isHairpin(state, kind, to, remotePort);
  if (isOurs(config, remote) && !comesBackIn) return answer('drop-own-address', 0x101);

  let bib: Pick<Bib, 'address' | 'mappedPort'>;
  if (own !== undefined) {
    bib = { address: own, mappedPort: hostPort };
  } else {
    if (config.isStateless) return answer('drop-untranslatable', 0x101);
    if (to.hasEam) return { drop: 'drop-destination' };
    if (kind === undefined) throw new Error('unreachable');
    const found = byHost.get(`${kind} ${hex(source)} ${hostPort}`);
    const hasSession = found !== undefined && sessions.has(sessionKey(found, remote, remotePort));
    const opens = kind !== 'tcp' || (segment[13] & 6) === 2;
    if (!hasSession && !opens && found === undefined) return { drop: 'drop-tcp-not-syn' };
    const left = freePorts(state, kind).length;
    if (found === undefined && left === 0) return answer('drop-pool4-exhausted', 0x103);
    const heldIn = (prefix: Uint8Array) =>
      [...byHost.values()].filter((each) => each.kind === kind && startsWith(each.host, prefix)).length;
    // A host may have four times as many ports as are left, a /64 sixteen times as many.
    if (found === undefined && (heldIn(source) >= 4 * left || heldIn(source.slice(0, 8)) >= 16 * left))
      return answer('drop-client-share', 0x103);
    const entry = found ?? newBib(state, kind, source, hostPort, choices);
    if (opens) sessions.add(sessionKey(entry, remote, remotePort));
    bib = entry;
  }
  const pool4 = bib.address;

  const translated = segment.slice();
  if (kind !== undefined) translated.set(u16(bib.mappedPort), portAt);
  if (isEcho) translated[0] = ECHO_6TO4[segment[0]];
  if (isUdp && readU16(segment, 6) === 0) {
    // It cannot be computed for fragments that are translated one by one.
    if (own === undefined || fragment === undefined) {
      const all = concat(translated, (came?.all ?? segment).slice(segment.length));
      translated.set(u16(udpChecksum(pool4, remote, all)), 6);
    }
  } else {
    const pseudo6 = pseudoHeader(source, destination, nextHeader, messageBytes);
    const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(pool4, remote, nextHeader, messageBytes);
    setChecksum(
      translated,
      kind,
      concat(pseudo6, header(segment, kind)),
      concat(pseudo4, header(translated, kind)),
    );
  }
  if (kind === 'tcp') clamp(translated, config.maxSegmentBytes);
  const totalBytes = 20 + segment.length;
  const isFragmentable = identification !== undefined || totalBytes <= 1260;
  const flags =
    fragment === undefined
      ? isFragmentable
        ? 0
        : 0x4000
      : fragment.offset / 8 + (fragment.hasMore ? 0x2000 : 0);
  return {
    isHairpin: comesBackIn,
    out: ipv4({
      source: pool4,
      destination: remote,
      protocol: kind === undefined ? nextHeader : PROTOCOL4[kind],
      payload: translated,
      hopLimit: hopLimit - 1,
      trafficClass,
      // N28
      fragment: flags,
      // N30
      identification: identification ?? (isFragmentable ? choices.identification : 0),
    }),
  };
}

/** The checksum of a UDP packet without one, over the bytes that its length covers. */
export function udpChecksum(source: Uint8Array, destination: Uint8Array, segment: Uint8Array): number {
  const covered = segment.slice(0, readU16(segment, 4));
  const sum = checksum(pseudoHeader(source, destination, PROTOCOL.UDP, covered.length), covered);
  return sum === 0 ? 0xffff : sum;
}
