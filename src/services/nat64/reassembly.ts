/**
 * Reassembly of fragments (RFC 6146 section 3.4): they may come in any order, so what has come is kept until all of a
 * datagram is there. The memory is bounded: so many datagrams at a time from each side. Fragments that overlap show an
 * attack or a broken sender; nothing of their datagram is translated (RFC 5722).
 */
import { checksumOf, sumOfBytes } from '../../wire/checksum.ts';
import { DONT_FRAGMENT, IPV4, IPV4_HEADER_BYTES } from '../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../wire/ipv6.ts';
import { GSO, NEEDS_CHECKSUM } from '../../wire/virtio-net.ts';
import { CONTINUE, COUNTER, HELD, type Verdict } from './counters.ts';
import { HEADROOM_BYTES, LONGEST_PACKET_BYTES, MAX_FRAGMENTS, type Packet, clearOffload } from './packet.ts';

/** From each side; with 64 KiB each that is 4 MiB a side, touched only as far as it is used. */
export const MAX_DATAGRAMS = 64;
/** N1: what is waited for lives at least that long, whatever else comes; RFC 6146 calls it FRAGMENT_MIN. */
export const LEAST_WAIT_SECONDS = 2;
/** What nobody needs the memory of may wait so long (RFC 791 and RFC 8200 allow hosts 15 and 60 seconds). */
export const LONGEST_WAIT_SECONDS = 30;

const KEY_WORDS = 9;
const LONGEST_HEADER_BYTES = 60;
/** An IPv4 datagram's data, behind a header without options: what must fit on both sides. */
export const LONGEST_DATA_BYTES = LONGEST_PACKET_BYTES - IPV4_HEADER_BYTES;

/** A datagram of which not all has come. */
interface Datagram {
  readonly key: Int32Array;
  readonly header: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
  /** First byte and end of each fragment, in order. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  isUsed: boolean;
  /** Something was wrong with it: all that comes of it is dropped. */
  isSpoilt: boolean;
  startedAt: number;
  count: number;
  receivedBytes: number;
  /** Known once the last fragment has come; else -1. */
  dataBytes: number;
  /** 0 while the first fragment is missing. */
  headerBytes: number;
}

/** The datagrams under way, of one side each. */
export interface Reassembly {
  readonly from4: Datagram[];
  readonly from6: Datagram[];
  readonly key: Int32Array;
}

export const createReassembly = (): Reassembly => ({
  from4: [],
  from6: [],
  key: new Int32Array(KEY_WORDS),
});

/**
 * Takes in the fragment that `packet` holds (its fragment fields are filled in). CONTINUE: the datagram is complete, and
 * `packet` is now all of it. HELD: more is to come. Anything else drops the fragment.
 */
export function reassemble(
  reassembly: Reassembly,
  packet: Packet,
  isIpv6: boolean,
  nowSeconds: number,
): Verdict {
  const offset = packet.fragmentOffset;
  const fragmentBytes = packet.end - packet.transport;
  const to = offset + fragmentBytes;
  if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0 || packet.gsoType !== GSO.NONE)
    return COUNTER['drop-bad-offload'];
  if (fragmentBytes === 0 || to > LONGEST_DATA_BYTES) return COUNTER['drop-fragment-bad'];
  if (packet.hasMoreFragments && (fragmentBytes & 7) !== 0) return COUNTER['drop-fragment-bad'];

  readKey(reassembly.key, packet, isIpv6);
  const datagram = findOrStart(isIpv6 ? reassembly.from6 : reassembly.from4, reassembly.key, nowSeconds);
  if (datagram === undefined) return COUNTER['drop-fragment-memory'];
  if (datagram.isSpoilt) return COUNTER['drop-fragment-overlap'];
  const verdict = insert(datagram, packet, offset, to);
  if (verdict !== CONTINUE) return verdict;
  datagram.data.set(packet.bytes.subarray(packet.transport, packet.end), offset);
  datagram.receivedBytes += fragmentBytes;
  if (offset === 0) keepHeader(datagram, packet, isIpv6);
  // The first is there when everything up to the end is.
  if (datagram.receivedBytes !== datagram.dataBytes) return HELD;
  release(datagram, packet, isIpv6);
  return CONTINUE;
}

function readKey(key: Int32Array, packet: Packet, isIpv6: boolean): void {
  const { view, start } = packet;
  key.fill(0);
  key[0] = packet.identification;
  if (isIpv6) {
    for (let word = 0; word < 8; word++) key[1 + word] = view.getInt32(start + IPV6.SOURCE + word * 4);
    return;
  }
  key[1] = view.getInt32(start + IPV4.SOURCE);
  key[2] = view.getInt32(start + IPV4.DESTINATION);
  key[3] = packet.fragmentProtocol;
}

/** The datagram with this key; else a new one, in the place of the oldest where memory is used up; or undefined. */
function findOrStart(datagrams: Datagram[], key: Int32Array, nowSeconds: number): Datagram | undefined {
  let free: Datagram | undefined;
  let oldest: Datagram | undefined;
  for (let i = 0; i < datagrams.length; i++) {
    const datagram = datagrams[i];
    if (nowSeconds - datagram.startedAt > LONGEST_WAIT_SECONDS) datagram.isUsed = false;
    if (!datagram.isUsed) free = datagram;
    else if (sameKey(datagram.key, key)) return datagram;
    else if (oldest === undefined || datagram.startedAt < oldest.startedAt) oldest = datagram;
  }
  if (free === undefined && datagrams.length < MAX_DATAGRAMS) {
    free = createDatagram();
    datagrams.push(free);
  }
  // Seconds are whole: a difference of 3 is more than 2 for certain.
  if (free === undefined && oldest !== undefined && nowSeconds - oldest.startedAt > LEAST_WAIT_SECONDS)
    free = oldest;
  if (free === undefined) return undefined;
  free.key.set(key);
  free.isUsed = true;
  free.isSpoilt = false;
  free.startedAt = nowSeconds;
  free.count = free.receivedBytes = free.headerBytes = 0;
  free.dataBytes = -1;
  return free;
}

const createDatagram = (): Datagram => ({
  key: new Int32Array(KEY_WORDS),
  header: new Uint8Array(LONGEST_HEADER_BYTES),
  data: new Uint8Array(LONGEST_PACKET_BYTES),
  starts: new Int32Array(MAX_FRAGMENTS),
  ends: new Int32Array(MAX_FRAGMENTS),
  isUsed: false,
  isSpoilt: false,
  startedAt: 0,
  count: 0,
  receivedBytes: 0,
  dataBytes: -1,
  headerBytes: 0,
});

function sameKey(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < KEY_WORDS; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Enters the fragment's place into the list. */
function insert(datagram: Datagram, packet: Packet, from: number, to: number): Verdict {
  const { starts, ends, count } = datagram;
  let at = count;
  while (at > 0 && starts[at - 1] >= from) at--;
  // A copy of one that is there does no harm; that the contents agree is not looked at.
  if (at < count && starts[at] === from && ends[at] === to) return COUNTER['drop-fragment-duplicate'];
  const overlaps = (at > 0 && ends[at - 1] > from) || (at < count && starts[at] < to);
  const isBehindEnd = datagram.dataBytes !== -1 && (to > datagram.dataBytes || !packet.hasMoreFragments);
  const leavesSomeBehind = !packet.hasMoreFragments && count > 0 && ends[count - 1] > to;
  if (overlaps || isBehindEnd || leavesSomeBehind) {
    datagram.isSpoilt = true;
    return COUNTER['drop-fragment-overlap'];
  }
  if (count === MAX_FRAGMENTS) {
    datagram.isSpoilt = true;
    return COUNTER['drop-fragment-memory'];
  }
  starts.copyWithin(at + 1, at, count);
  ends.copyWithin(at + 1, at, count);
  starts[at] = from;
  ends[at] = to;
  datagram.count++;
  if (!packet.hasMoreFragments) datagram.dataBytes = to;
  return CONTINUE;
}

/** The header of the first fragment becomes that of the whole. IPv6 extension headers are left out: nobody reads them. */
function keepHeader(datagram: Datagram, packet: Packet, isIpv6: boolean): void {
  const { start } = packet;
  datagram.headerBytes = isIpv6 ? IPV6_HEADER_BYTES : packet.transport - start;
  datagram.header.set(packet.bytes.subarray(start, start + datagram.headerBytes));
  if (isIpv6) datagram.header[IPV6.NEXT_HEADER] = packet.fragmentProtocol;
}

/** Puts the whole datagram into `packet`, and frees its place. */
function release(datagram: Datagram, packet: Packet, isIpv6: boolean): void {
  const { headerBytes, dataBytes, count } = datagram;
  const { bytes, view } = packet;
  const start = HEADROOM_BYTES;
  datagram.isUsed = false;
  packet.start = start;
  packet.end = start + headerBytes + dataBytes;
  bytes.set(datagram.header.subarray(0, headerBytes), start);
  bytes.set(datagram.data.subarray(0, dataBytes), start + headerBytes);
  clearOffload(packet);
  packet.fragmentCount = count;
  packet.fragmentEnds.set(datagram.ends.subarray(0, count));
  if (isIpv6) {
    view.setUint16(start + IPV6.PAYLOAD_LENGTH, dataBytes);
    // N30: the low-order 16 bits are what IPv4 has room for.
    packet.identification &= 0xffff;
    return;
  }
  // With options the whole may be too long for its length field; then its length contradicts itself, and it is dropped.
  view.setUint16(start + IPV4.TOTAL_LENGTH, Math.min(headerBytes + dataBytes, LONGEST_PACKET_BYTES));
  view.setUint16(start + IPV4.FRAGMENT, view.getUint16(start + IPV4.FRAGMENT) & DONT_FRAGMENT);
  view.setUint16(start + IPV4.CHECKSUM, 0);
  view.setUint16(start + IPV4.CHECKSUM, checksumOf(sumOfBytes(view, start, start + headerBytes)));
}
