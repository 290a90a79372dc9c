/** ICMP errors that the translator itself sends. */
import { PROTOCOL, icmp, readU16, readU32 } from '../packets.ts';
import { hex, neverRouted, isGroup } from './headers.ts';
import type { Outcome, ReferenceConfig, State } from './types.ts';

/** RFC 4443 section 2.4: no errors about errors, nor to a destination that is not a single host. */
export function answer6(
  { config }: State,
  drop: string,
  packet: Uint8Array,
  typeAndCode: number,
  value: number,
): Outcome {
  const source = packet.slice(8, 24);
  // A router must send Packet Too Big and Time Exceeded.
  if (!config.answersRefused6 && ![2, 3].includes(typeAndCode >> 8)) return { drop };
  if (packet[24] === 0xff || isAboutError(packet[6], packet.slice(40))) return { drop };
  if (source[0] === 0xff || readU32(source, 0) === 0) return { drop };
  return {
    drop,
    out: icmp({
      source: config.ownIpv6,
      destination: source,
      type: typeAndCode >> 8,
      code: typeAndCode & 255,
      rest: value,
      data: packet.slice(0, 1280 - 48),
    }),
  };
}

/** Whether the rest is an ICMPv6 error, or cannot be distinguished from one. */
function isAboutError(nextHeader: number, rest: Uint8Array): boolean {
  if ([0, 43, 44, 60].includes(nextHeader)) {
    if (rest.length < 8) return false;
    if (nextHeader !== 44) return isAboutError(rest[0], rest.slice(8 * (rest[1] + 1)));
    return readU16(rest, 2) >= 8 ? rest[0] === PROTOCOL.ICMPV6 : isAboutError(rest[0], rest.slice(8));
  }
  return nextHeader === PROTOCOL.ICMPV6 && !(rest[0] >= 128);
}

export function answer4(
  { config }: State,
  drop: string,
  packet: Uint8Array,
  typeAndCode: number,
  value: number,
): Outcome {
  const headerBytes = (packet[0] & 15) * 4;
  if (typeAndCode === 0x30d && !config.answersRefused4) return { drop };
  if (neverRouted(packet.slice(12, 16)) || isGroup(packet.slice(16, 20))) return { drop };
  if ((readU16(packet, 6) & 0x1fff) !== 0) return { drop };
  if (packet[9] === PROTOCOL.ICMP && [undefined, 3, 4, 5, 11, 12].includes(packet[headerBytes]))
    return { drop };
  return {
    drop,
    out: icmp({
      source: errorSource(config, packet.slice(16, 20)),
      destination: packet.slice(12, 16),
      type: typeAndCode >> 8,
      code: typeAndCode & 255,
      rest: value,
      data: packet.slice(0, 576 - 28),
      trafficClass: 0xc0,
      fragment: 0x4000,
    }),
  };
}

/** The error comes from the address that the packet was sent to. If that is a host's address, another may be better (RFC 6791). */
function errorSource({ addresses, icmpSources4 }: ReferenceConfig, destination: Uint8Array): Uint8Array {
  const isShared = addresses.some((address) => hex(address) === hex(destination));
  return isShared || icmpSources4.length === 0 ? destination : icmpSources4[0];
}
