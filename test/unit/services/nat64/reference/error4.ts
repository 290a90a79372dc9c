/** ICMP errors from the IPv4 side. */
import { PROTOCOL, concat, icmp, ipv6, onesSum, pseudoHeader, readU16, u16 } from '../packets.ts';
import {
  ECHO_4TO6,
  KINDS,
  PROTOCOL6,
  header,
  hex,
  isOther,
  isNonGlobal,
  isWellKnown,
  neverRouted,
  setChecksum,
  startsWith,
} from './headers.ts';
import { goesByEam, isShared, ownHost, portKey, remote6, sessionKey } from './mappings.ts';
import type { Outcome, State } from './types.ts';

import { withExtensions } from './error6.ts';
/** An error from the IPv4 side about a packet that a host sent there (section 4.2). */
export function error4(
  state: State,
  packet: Uint8Array,
  message: Uint8Array,
  isHairpinned: boolean,
): Outcome {
  const { config, byPort, sessions } = state;
  const { mtuBytes, ownIpv6 } = config;
  const address = packet.slice(16, 20);
  if (onesSum(message) !== 0xffff) return { drop: 'drop-bad-checksum' };
  const [type, code] = message;
  const attribute = message[5] * 4;
  const quoted = message.slice(8, attribute === 0 ? undefined : 8 + attribute);
  const extensions = attribute === 0 ? new Uint8Array() : message.slice(8 + attribute);
  const headerBytes = (quoted[0] & 15) * 4;
  if (quoted.length < 20 || quoted[0] >> 4 !== 4 || headerBytes < 20) return { drop: 'drop-icmp-quote' };
  const describe = (): [number, number] | undefined => {
    if (type === 11) return [0x300 | code, 0];
    if (type === 12 && (code === 0 || code === 2)) {
      const pointer = new Map([
        [0, 0],
        [1, 1],
        [2, 4],
        [3, 4],
        [8, 7],
        [9, 6],
        [12, 8],
        [13, 8],
        [14, 8],
        [15, 8],
        [16, 24],
        [17, 24],
        [18, 24],
        [19, 24],
      ]).get(message[4]); // prettier-ignore
      return pointer === undefined ? undefined : [0x400, pointer];
    }
    if (type !== 3) return undefined;
    if (code === 2) return [0x401, 6];
    if (code === 3) return [0x104, 0];
    if (code === 4) {
      const plateaus = [65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];
      const given = readU16(message, 6);
      const mtu = given === 0 ? (plateaus.find((plateau) => plateau < readU16(quoted, 2)) ?? 68) : given;
      return [0x200, Math.max(1280, Math.min(mtu + 20, mtuBytes, mtuBytes + 20))];
    }
    if ([9, 10, 13, 15].includes(code)) return [0x101, 0];
    return [0, 1, 5, 6, 7, 8, 11, 12].includes(code) ? [0x100, 0] : undefined;
  };
  const description = describe();
  if (description === undefined) return { drop: 'drop-icmp-type' };
  const own = isShared(config, address) ? undefined : ownHost(config, address);
  const isFragment = (readU16(quoted, 6) & 0x3fff) !== 0;
  // A later fragment has no ports, so only a host with its own IPv4 address can be found.
  const isLater = (readU16(quoted, 6) & 0x1fff) !== 0;
  if (headerBytes !== 20 || (isLater && own === undefined)) return { drop: 'drop-icmp-quote' };
  if (!isLater && quoted.length < headerBytes + 8) return { drop: 'drop-icmp-quote' };
  if (hex(quoted.slice(12, 16)) !== hex(address)) return { drop: 'drop-icmp-quote' };
  const quotedKind = quoted[9] === PROTOCOL.ICMPV6 ? undefined : KINDS[quoted[9]];
  const kind = isLater ? undefined : quotedKind;
  const segment = quoted.slice(20);
  if (isLater && quotedKind === undefined && !isOther(quoted[9])) return { drop: 'drop-icmp-quote' };
  if (isLater) {
    // No other checks.
  } else if (
    kind === undefined
      ? !(own !== undefined && isOther(quoted[9]))
      : kind === 'icmp' && ECHO_4TO6[segment[0]] === undefined
  )
    return { drop: 'drop-icmp-quote' };
  if (packet[8] <= 1) return { drop: 'drop-hop-limit' };
  const isEcho = kind === 'icmp';
  const remote = quoted.slice(16, 20);
  const remotePort = isEcho || kind === undefined ? 0 : readU16(segment, 2);
  const mappedPort = kind === undefined ? 0 : readU16(segment, isEcho ? 4 : 0);
  const bib =
    own === undefined
      ? byPort.get(portKey(kind as string, address, mappedPort))
      : { host: own, hostPort: mappedPort };
  if (bib === undefined)
    return isEcho && hex(address) === hex(config.addresses[0])
      ? { out: concat(packet), isReturned: true }
      : { drop: 'drop-no-bib-entry' };
  if ('kind' in bib && !sessions.has(sessionKey(bib, remote, remotePort)))
    return { drop: 'drop-icmp-no-session' };
  const byEam = own !== undefined && goesByEam(config, isHairpinned);
  const toRemote = remote6(config, remote, byEam);

  const payloadBytes = Math.max(readU16(quoted, 2) - 20, 0);
  const translated = segment.slice();
  if (kind !== undefined) translated.set(u16(bib.hostPort), isEcho ? 4 : 0);
  if (isEcho) translated[0] = ECHO_4TO6[segment[0]];
  const nextHeader = quotedKind === undefined ? quoted[9] : PROTOCOL6[quotedKind];
  const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(address, remote, quoted[9], payloadBytes);
  const pseudo6 = pseudoHeader(bib.host, toRemote, nextHeader, payloadBytes);
  setChecksum(
    translated,
    kind,
    concat(pseudo4, header(segment, kind)),
    concat(pseudo6, header(translated, kind)),
  );
  const field = (readU16(quoted, 6) & 0x1fff) * 8 + ((readU16(quoted, 6) & 0x2000) === 0 ? 0 : 1);
  const inner = ipv6({
    source: bib.host,
    destination: toRemote,
    protocol: isFragment ? 44 : nextHeader,
    payload: isFragment
      ? Uint8Array.from([nextHeader, 0, ...u16(field), 0, 0, quoted[4], quoted[5]])
      : new Uint8Array(),
    hopLimit: quoted[8],
    trafficClass: config.isClassZero ? 0 : quoted[1],
  });
  inner.set(u16(Math.min(payloadBytes + (isFragment ? 8 : 0), 0xffff)), 4);
  // Packet Too Big and Parameter Problem have no length attribute.
  const carries = [1, 3].includes(description[0] >> 8);
  const body = withExtensions(
    concat(inner, translated),
    carries ? extensions : new Uint8Array(),
    1280 - 48,
    8,
  );
  const peer = packet.slice(12, 16);
  // RFC 7757 sections 4.2.1 and 4.2.2.
  const peer6 = remote6(config, peer, own !== undefined && (byEam || hex(peer) !== hex(remote)));
  return {
    out: icmp({
      source:
        isWellKnown(config) && (isNonGlobal(peer) || neverRouted(peer)) && startsWith(peer6, config.prefix)
          ? ownIpv6
          : peer6,
      destination: bib.host,
      type: description[0] >> 8,
      code: description[0] & 255,
      rest: description[1] + body.length * 2 ** 24,
      data: body.data,
      hopLimit: packet[8] - 1,
      trafficClass: config.isClassZero ? 0 : packet[1],
    }),
  };
}
