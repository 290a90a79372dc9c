/** Packets from the IPv6 side. */
import { PROTOCOL, concat, ipv4, pseudoHeader, readU16, u16, type Bytes } from '../packets.ts';
import { answer6 } from './answers.ts';
import { error6 } from './error6.ts';
import {
  ECHO_6TO4,
  KINDS,
  PROTOCOL4,
  clamp,
  header,
  hex,
  isUnicastHost,
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
import { type Bib, type Came, type Choices, type Outcome, type State, WHOLE } from './types.ts';

/** A packet from the IPv6 side, or what is left of it behind its fragments (RFC 6146 section 3, RFC 7915 section 5). */
export function from6(state: State, whole: Uint8Array, choices: Choices, came: Came): Outcome {
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
  let { identification } = came;
  if (nextHeader === 44) {
    if (segment.length < 8) return { drop: 'drop-truncated' };
    const fragmentField = readU16(segment, 2);
    const header = segment.slice(0, 8);
    identification = readU16(segment, 6);
    nextHeader = header[0];
    segment = segment.slice(8);
    if ((fragmentField & 0xfff9) !== 0) {
      if (!isUnicastHost(source)) return { drop: 'drop-source-invalid' };
      if (!startsWith(source, allow)) return answer6(state, 'drop-not-allowed', packet, 0x101, 0);
      if (segment.length + 20 > mtuBytes) return answer6(state, 'drop-too-big', packet, 0x200, mtuBytes + 20);
      const fragment = {
        key: `6 ${hex(source)} ${hex(destination)} ${hex(header.slice(4))}`,
        offset: fragmentField & 0xfff8,
        hasMore: (fragmentField & 1) !== 0,
        data: segment,
        identification,
        rebuild: (data: Bytes) => {
          const fixed = concat(packet.slice(0, 40), data);
          fixed.set(u16(data.length), 4);
          fixed[6] = header[0];
          return fixed;
        },
      };
      return { fragment };
    }
  }
  const problem = transportProblem(nextHeader, segment, PROTOCOL.ICMPV6, own !== undefined);
  if (problem === 'drop-protocol') return answer6(state, problem, packet, 0x104, 0);
  if (problem !== undefined) return { drop: problem };
  if (nextHeader === PROTOCOL.ICMPV6) {
    if (segment[0] < 128) return error6(state, packet, segment, choices);
    if (ECHO_6TO4[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
  }
  const isEcho = nextHeader === PROTOCOL.ICMPV6;
  const answer = (drop: string, typeAndCode: number, value = 0) =>
    answer6(state, drop, packet, typeAndCode, value);

  if (nextHeader === PROTOCOL.UDP && readU16(segment, 6) === 0) return answer('drop-udp-no-checksum', 0x101);
  if (!isUnicastHost(source)) return { drop: 'drop-source-invalid' };
  if (!startsWith(source, allow)) return answer('drop-not-allowed', 0x101);
  if (own !== undefined && isOurs(config, own)) return { drop: 'drop-source-invalid' };
  const remote = to.address;
  const refused = refusedRemote(config, to);
  if (refused !== undefined) return answer(refused, refused === 'drop-no-route' ? 0x100 : 0x101);
  if (hopLimit <= 1) return answer('drop-hop-limit', 0x300);
  if (came === WHOLE && packet.length - 20 > mtuBytes) return answer('drop-too-big', 0x200, mtuBytes + 20);
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
    // A host may have four times what is left, a /64 sixteen times.
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
  const pseudo6 = pseudoHeader(source, destination, nextHeader, segment.length);
  const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(pool4, remote, nextHeader, segment.length);
  setChecksum(
    translated,
    kind,
    concat(pseudo6, header(segment, kind)),
    concat(pseudo4, header(translated, kind)),
  );
  if (kind === 'tcp') clamp(translated, config.maxSegmentBytes);
  const totalBytes = 20 + segment.length;
  const isFragmentable = identification !== undefined || totalBytes <= 1260;
  return {
    isHairpin: comesBackIn,
    ...(came !== WHOLE && { cut: { limitBytes: mtuBytes, came } }),
    out: ipv4({
      source: pool4,
      destination: remote,
      protocol: kind === undefined ? nextHeader : PROTOCOL4[kind],
      payload: translated,
      hopLimit: hopLimit - 1,
      trafficClass,
      // N28
      fragment: isFragmentable ? 0 : 0x4000,
      // N30
      identification: identification ?? (isFragmentable ? choices.identification : 0),
    }),
  };
}
