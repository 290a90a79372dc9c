/** Packets with errors. */
import fc from 'fast-check';
import { type Bytes, concat, readU16, u16 } from '../packets.ts';

/** A few bytes changed, the end cut off or padded; most of the time the IPv4 header checksum is corrected. */
export const mutated = (wellFormed: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> =>
  fc
    .record({
      packet: wellFormed,
      changes: fc.array(fc.record({ at: fc.nat(200), value: fc.integer({ min: 0, max: 255 }) }), {
        maxLength: 3,
      }),
      length: fc.option(fc.nat(120), { nil: undefined }),
      padding: fc.nat(3),
      repair: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
    })
    .map(({ packet, changes, length, padding, repair }) => {
      const bytes = concat(packet.slice(0, length), new Uint8Array(padding));
      for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
      const headerBytes = (bytes[0] & 15) * 4;
      if (repair && bytes[0] >> 4 === 4 && headerBytes >= 20 && headerBytes <= bytes.length) {
        bytes.set([0, 0], 10);
        bytes.set(u16(0xffff - onesSumOf(bytes.slice(0, headerBytes))), 10);
      }
      return bytes;
    });

/** The packet with one byte changed; the IPv4 header checksum is correct. */
export const changedIn = (packet: Bytes) =>
  fc.record({ at: fc.nat(60), value: fc.integer({ min: 0, max: 255 }) }).map(({ at, value }) => {
    const bytes = packet.slice();
    if (at < bytes.length) bytes[at] = value;
    const headerBytes = (bytes[0] & 15) * 4;
    if (bytes[0] >> 4 === 4 && headerBytes >= 20 && headerBytes <= bytes.length) {
      bytes.set([0, 0], 10);
      bytes.set(u16(0xffff - onesSumOf(bytes.slice(0, headerBytes))), 10);
    }
    return bytes;
  });

export function onesSumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += readU16(bytes, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}
