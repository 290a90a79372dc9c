/**
 * The rules for IP headers (RFC 7915 sections 4.1 and 5.1): one function for each direction. They serve the packet's own header
 * and the header that an ICMP error quotes; only the hop limit is treated differently (sections 4.3 and 5.3).
 */
import {
  DONT_FRAGMENT,
  FRAGMENT_OFFSET,
  FRAGMENT_UNIT_SHIFT,
  IPV4,
  MORE_FRAGMENTS,
  writeIpv4Header,
} from '../../../wire/ipv4.ts';
import {
  EXTENSION,
  FRAGMENT_HEADER_BYTES,
  IPV6,
  IPV6_HEADER_BYTES,
  trafficClass,
  writeFragmentHeader,
  writeIpv6Start,
} from '../../../wire/ipv6.ts';
import { GSO } from '../../../wire/virtio-net.ts';
import { segmentsOf, wireBytesOf } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import type { Translator } from './translator.ts';

/** N28: up to this size an IPv4 packet may be fragmented on its way, because an IPv6 sender need not send smaller packets. */
export const LARGEST_FRAGMENTABLE_BYTES = 1260;

/** The TOS octet for the translation of the IPv6 packet at `at` (RFC 7915 section 5.1). */
const tosOf = (settings: Settings, view: DataView, at: number): number =>
  (trafficClass(view, at) & settings.copiedClassTo4) | settings.setClassTo4;

/**
 * Translates the IPv6 header at `from` to an IPv4 header at `at`; the two may overlap. `hops` is subtracted from the hop limit.
 * `identification` comes from the fragment header, -1 if there is none; `fragment` is its offset and MF.
 */
export function writeHeader4(
  translator: Translator,
  from: number,
  at: number,
  totalBytes: number,
  hops: number,
  protocol: number,
  source: number,
  destination: number,
  identification: number,
  fragment: number,
): void {
  const { packet } = translator;
  const { view } = packet;
  const tos = tosOf(translator.settings, view, from);
  const ttl = view.getUint8(from + IPV6.HOP_LIMIT) - hops;
  // N30: a packet that came with a fragment header keeps its identification, and may be fragmented further.
  const hasFragmentHeader = identification !== -1;
  const wireBytes = packet.gsoType === GSO.NONE ? totalBytes : wireBytesOf(packet);
  const isFragmentable = hasFragmentHeader || wireBytes <= LARGEST_FRAGMENTABLE_BYTES;
  writeIpv4Header(
    view,
    at,
    tos,
    totalBytes,
    hasFragmentHeader
      ? identification
      : isFragmentable
        ? nextIdentification(translator, segmentsOf(packet))
        : 0,
    isFragmentable ? fragment : DONT_FRAGMENT,
    ttl,
    protocol,
    source,
    destination,
  );
}

/**
 * Translates the IPv4 header at `from` to an IPv6 header at `at`, except for the addresses, and adds a fragment header if
 * `fragment` (offset and MF of IPv4) is not 0. The two may overlap.
 */
export function writeHeader6(
  { packet, settings }: Translator,
  from: number,
  at: number,
  payloadBytes: number,
  hops: number,
  nextHeader: number,
  identification: number,
  fragment: number,
): void {
  const { view } = packet;
  const tos = view.getUint8(from + IPV4.TOS) & settings.copiedClassTo6;
  const hopLimit = view.getUint8(from + IPV4.TTL) - hops;
  if (fragment === 0) {
    writeIpv6Start(view, at, tos, payloadBytes, nextHeader, hopLimit);
    return;
  }
  const offset = (fragment & FRAGMENT_OFFSET) << FRAGMENT_UNIT_SHIFT;
  const more = (fragment & MORE_FRAGMENTS) === 0 ? 0 : 1;
  const allBytes = Math.min(payloadBytes + FRAGMENT_HEADER_BYTES, 0xffff);
  writeIpv6Start(view, at, tos, allBytes, EXTENSION.FRAGMENT, hopLimit);
  writeFragmentHeader(view, at + IPV6_HEADER_BYTES, nextHeader, offset | more, identification);
}

/** Reserves identifications for the segments of a packet that may be fragmented. They repeat as late as possible (RFC 6864). */
function nextIdentification(translator: Translator, segments: number): number {
  const { identification } = translator;
  translator.identification = (identification + segments) & 0xffff;
  return identification;
}
