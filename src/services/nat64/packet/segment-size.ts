/** Lowers the segment size that a TCP SYN announces (RFC 9293 section 3.7.1), so that the peer sends no packets that are too big. */
import { adjustChecksum } from '../../../wire/checksum.ts';
import { TCP, TCP_HEADER_BYTES, TCP_OPTION, tcpHeaderBytes } from '../../../wire/tcp-udp.ts';
import { NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import type { Packet } from './packet.ts';

/** For a SYN. The search for the option stops at the first malformed option. */
export function clampSegmentSize(packet: Packet, maxSegmentBytes: number): void {
  const { view, transport } = packet;
  const end = transport + tcpHeaderBytes(view, transport, packet.end);
  let at = transport + TCP_HEADER_BYTES;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === TCP_OPTION.END) return;
    if (kind === TCP_OPTION.NOP) {
      at++;
      continue;
    }
    const optionBytes = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (optionBytes < 2 || at + optionBytes > end) return;
    if (kind === TCP_OPTION.MAX_SEGMENT_SIZE && optionBytes === 4) {
      lower(packet, at + 2, maxSegmentBytes);
      return;
    }
    at += optionBytes;
  }
}

function lower(packet: Packet, at: number, maxSegmentBytes: number): void {
  const { view, transport } = packet;
  const announced = view.getUint16(at);
  if (announced <= maxSegmentBytes) return;
  view.setUint16(at, maxSegmentBytes);
  // If the device completes the checksum, it does not cover the options yet.
  if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0) return;
  // At an odd offset, the two bytes belong to different words of the sum, so they count in swapped order.
  const isOdd = ((at - transport) & 1) !== 0;
  const before = isOdd ? swapped(announced) : announced;
  const after = isOdd ? swapped(maxSegmentBytes) : maxSegmentBytes;
  const checksumAt = transport + TCP.CHECKSUM;
  view.setUint16(checksumAt, adjustChecksum(view.getUint16(checksumAt), (~before & 0xffff) + after));
}

const swapped = (word: number): number => ((word & 0xff) << 8) | (word >> 8);
