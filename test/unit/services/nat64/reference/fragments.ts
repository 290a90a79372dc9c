/** Fragments: which wait, which pass, and how IPv6 packets are cut into them. */
import { type Bytes, concat, ipv4, ipv6, readU16, u16 } from '../packets.ts';
import type { Cut, Datagram, Fragment, Outcome, ReferenceConfig, State } from './types.ts';

const endOf = ({ offset, data }: Fragment) => offset + data.length;
const waitingOf = ({ fragments }: Datagram) => fragments.filter(({ hasPassed }) => !hasPassed);

/** Whether a fragment is invalid by itself. */
export function isBadFragment(offset: number, hasMore: boolean, data: Uint8Array, isTcp: boolean): boolean {
  if (data.length === 0 || offset + data.length > 65_515) return true;
  return (hasMore && data.length % 8 !== 0) || (isTcp && offset > 0 && offset < 20);
}

/**
 * Accepts a fragment. Returns the reasons of drops, one for each fragment that is lost, and the fragments that pass now, in order.
 * `datagram`: the datagram, if the fragment was accepted.
 */
export function takeFragment(
  { datagrams }: State,
  fragment: Fragment,
): {
  readonly drops: readonly string[];
  readonly passing: readonly Fragment[];
  readonly datagram?: Datagram;
} {
  const { offset, hasMore, key, isKernels } = fragment;
  const dropped = (...drops: string[]) => ({ drops, passing: [] });
  const datagram: Datagram = datagrams.get(key) ?? { fragments: [], state: 'waiting' };
  datagrams.set(key, datagram);
  const { fragments } = datagram;
  if (datagram.state === 'spoilt') return dropped('drop-fragment-overlap');
  if (datagram.state === 'refused') return dropped('drop-fragment-refused');
  const end = endOf(fragment);
  if (fragments.some((each) => each.offset === offset && endOf(each) === end))
    return dropped('drop-fragment-duplicate');
  const last = fragments.find((each) => !each.hasMore);
  const overlaps = fragments.some((each) => each.offset < end && offset < endOf(each));
  const contradicts =
    (last !== undefined && (end > endOf(last) || !hasMore)) ||
    (!hasMore && fragments.some((each) => endOf(each) > end));
  if (overlaps || contradicts) {
    datagram.state = 'spoilt';
    return dropped(...[fragment, ...waitingOf(datagram)].map(() => 'drop-fragment-overlap'));
  }
  fragments.push(fragment);
  fragments.sort((a, b) => a.offset - b.offset);
  if (isKernels) datagram.state = 'kernel';
  const [first] = fragments;
  const waits =
    datagram.state === 'waiting' && (first.offset !== 0 || (first.needsAll && !isComplete(datagram)));
  if (waits) return dropped();
  const others = waitingOf(datagram).filter((each) => each !== fragment);
  const passing =
    first.needsAll && datagram.state === 'waiting' ? waitingOf(datagram) : [fragment, ...others];
  return { drops: [], passing, datagram };
}

export function isComplete({ fragments }: Datagram): boolean {
  const last = fragments.find(({ hasMore }) => !hasMore);
  const bytes = fragments.reduce((sum, { data }) => sum + data.length, 0);
  return last !== undefined && bytes === endOf(last);
}

/** A fragment after the first: its own header, except addresses and protocol, which are those of the first. */
export function laterFragment(
  config: ReferenceConfig,
  { packet, offset, hasMore, identification, data, version }: Fragment,
  first: Outcome,
): Outcome {
  const { out } = first;
  if (out === undefined) throw new Error('a first fragment that was not translated');
  return {
    ...translatedFragment(config, version, packet, out, data, { offset, hasMore, identification }),
    ...hairpinOf(first),
  };
}

const hairpinOf = ({ isHairpin }: Outcome) => (isHairpin === undefined ? {} : { isHairpin });

/** The data of a fragment behind its own header; addresses and protocol come from `like`, a packet of the other family. */
export function translatedFragment(
  config: ReferenceConfig,
  version: 4 | 6,
  packet: Uint8Array,
  like: Uint8Array,
  data: Uint8Array,
  { offset, hasMore, identification }: Omit<Cut, 'limitBytes'>,
): Outcome {
  if (version === 6)
    return {
      out: ipv4({
        source: like.slice(12, 16),
        destination: like.slice(16, 20),
        protocol: like[9],
        payload: data,
        hopLimit: packet[7] - 1,
        trafficClass: config.tos ?? (readU16(packet, 0) >> 4) & 255,
        identification,
        fragment: offset / 8 + (hasMore ? 0x2000 : 0),
      }),
    };
  return {
    out: ipv6({
      source: like.slice(8, 24),
      destination: like.slice(24, 40),
      protocol: like[6],
      payload: data,
      hopLimit: packet[8] - 1,
      trafficClass: config.isClassZero ? 0 : packet[1],
    }),
  };
}

/** Cuts a packet into short enough pieces: at least one. */
export function cutUp(packet: Bytes, { limitBytes, offset, hasMore, identification }: Cut): Bytes[] {
  const data = packet.slice(40);
  const step = Math.floor((limitBytes - 48) / 8) * 8;
  const pieces: Bytes[] = [];
  for (let at = 0; at < data.length; at += step) {
    const more = hasMore || at + step < data.length ? 1 : 0;
    const header = Uint8Array.from([packet[6], 0, ...u16(offset + at + more), 0, 0, ...u16(identification)]);
    pieces.push(
      ipv6({
        hopLimit: packet[7],
        payload: concat(header, data.slice(at, at + step)),
        source: packet.slice(8, 24),
        destination: packet.slice(24, 40),
        protocol: 44,
        trafficClass: (readU16(packet, 0) >> 4) & 255,
      }),
    );
  }
  return pieces;
}
