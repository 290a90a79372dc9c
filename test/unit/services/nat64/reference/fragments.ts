/** Fragments: put together, and cut again. */
import { type Bytes, concat, ipv4, ipv6, readU16, u16 } from '../packets.ts';
import type { Came, Datagram, Fragment, Outcome } from './types.ts';

/** Takes a fragment in: the packet that it completes, or why it is dropped, or nothing yet. */
export function reassemble(
  datagrams: Map<string, Datagram>,
  fragment: Fragment,
): Outcome | { readonly packet: Bytes; readonly came: Came } {
  const { offset, data, hasMore, key } = fragment;
  const end = offset + data.length;
  if (data.length === 0 || end > 65_515 || (hasMore && data.length % 8 !== 0))
    return { drop: 'drop-fragment-bad' };
  const datagram = datagrams.get(key) ?? { fragments: [], isSpoilt: false };
  datagrams.set(key, datagram);
  const { fragments } = datagram;
  const endOf = (each: Fragment) => each.offset + each.data.length;
  if (datagram.isSpoilt) return { drop: 'drop-fragment-overlap' };
  if (fragments.some((each) => each.offset === offset && endOf(each) === end))
    return { drop: 'drop-fragment-duplicate' };
  const last = fragments.find((each) => !each.hasMore);
  const overlaps = fragments.some((each) => each.offset < end && offset < endOf(each));
  const contradicts =
    (last !== undefined && (end > endOf(last) || !hasMore)) ||
    (!hasMore && fragments.some((each) => endOf(each) > end));
  if (overlaps || contradicts) {
    datagram.isSpoilt = true;
    return { drop: 'drop-fragment-overlap' };
  }
  fragments.push(fragment);
  fragments.sort((a, b) => a.offset - b.offset);
  const all = concat(...fragments.map((each) => each.data));
  const end2 = fragments.find((each) => !each.hasMore);
  if (end2 === undefined || all.length !== endOf(end2)) return {};
  datagrams.delete(key);
  const { identification, rebuild } = fragments[0];
  return { packet: rebuild(all), came: { cuts: fragments.map(endOf), identification } };
}

/** Cuts a packet where it was cut before, and where the pieces are still too long. */
export function cutUp(packet: Uint8Array, limitBytes: number, { cuts, identification = 0 }: Came): Bytes[] {
  const isIpv6 = packet[0] >> 4 === 6;
  const headerBytes = isIpv6 ? 40 : 20;
  const data = packet.slice(headerBytes);
  const step = Math.floor((limitBytes - headerBytes - (isIpv6 ? 8 : 0)) / 8) * 8;
  const pieces: Bytes[] = [];
  let offset = 0;
  for (const end of cuts.length === 0 ? [data.length] : cuts) {
    for (; offset < end; offset = Math.min(offset + step, end)) {
      const to = Math.min(offset + step, end);
      const more = to < data.length ? 1 : 0;
      const piece = data.slice(offset, to);
      const id = u16(identification);
      const payload = isIpv6
        ? concat(Uint8Array.from([packet[6], 0, ...u16(offset + more), 0, 0, ...id]), piece)
        : piece;
      const fields = { hopLimit: packet[isIpv6 ? 7 : 8], payload };
      pieces.push(
        isIpv6
          ? ipv6({
              ...fields,
              source: packet.slice(8, 24),
              destination: packet.slice(24, 40),
              protocol: 44,
              trafficClass: (readU16(packet, 0) >> 4) & 255,
            })
          : ipv4({
              ...fields,
              source: packet.slice(12, 16),
              destination: packet.slice(16, 20),
              protocol: packet[9],
              trafficClass: packet[1],
              identification,
              fragment: offset / 8 + more * 0x2000,
            }),
      );
    }
  }
  return pieces;
}
