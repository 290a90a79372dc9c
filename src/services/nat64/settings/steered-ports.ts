/** Which ports of an address belong to pool4, and which remain for the appliance itself. */
import type { PortRange } from '../../../config/values.ts';
import { TextError, say } from '../../../texts/text.ts';

/** A pool4 address, and which of its packets are for the translator. */
export interface SteeredAddress {
  /** Unsigned. */
  readonly address: number;
  /** Whether it is the appliance's own, so that its ports are shared with the pool. */
  readonly isOwn: boolean;
  /** Ports, and ICMP identifiers. */
  readonly ranges: Readonly<Record<'tcp' | 'udp' | 'icmp', readonly PortRange[]>>;
  /** Ports of static entries. */
  readonly tcpPorts: readonly number[];
  readonly udpPorts: readonly number[];
}

/** The appliance's own connections never get a port below this. */
export const FIRST_OWN_PORT = 1024;
const OWN_PORTS = { first: FIRST_OWN_PORT, last: 65_535 };

/**
 * The ports that the kernel may choose for the appliance's own connections: the largest gap between the pools. Throws if that is
 * too small.
 */
export function ownPortRange(ranges: readonly PortRange[]): string {
  let gap = { first: 0, last: -1 };
  let first = OWN_PORTS.first;
  for (const range of [...mergeRanges(ranges), { first: OWN_PORTS.last + 1, last: OWN_PORTS.last + 1 }]) {
    if (range.first - 1 - first > gap.last - gap.first) gap = { first, last: range.first - 1 };
    first = Math.max(first, range.last + 1);
  }
  if (gap.last - gap.first < 1024) {
    const text = ranges.map((range) => `${range.first}-${range.last}`).join(', ');
    throw new TextError(
      say(
        'nat64.pool4: ports {ports} leave too few ports for the appliance itself; leave it a contiguous range of 1025',
        {
          ports: text,
        },
      ),
    );
  }
  // The kernel requires one end to be even and the other odd.
  return `${gap.first + (gap.first & 1)} ${gap.last - 1 + (gap.last & 1)}`;
}

/** The same ports in order, in ranges that neither overlap nor touch. */
export function mergeRanges(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last === undefined || range.first > last.last + 1) merged.push(range);
    else merged[merged.length - 1] = { first: last.first, last: Math.max(last.last, range.last) };
  }
  return merged;
}

/** The ports of `ranges` that are in none of `excluded`, in order. */
export function withoutRanges(ranges: readonly PortRange[], excluded: readonly PortRange[]): PortRange[] {
  const out = mergeRanges(excluded);
  return mergeRanges(ranges).flatMap(({ first, last }) => {
    const rest: PortRange[] = [];
    let next = first;
    for (const gap of out) {
      if (gap.last < next || gap.first > last) continue;
      if (gap.first > next) rest.push({ first: next, last: gap.first - 1 });
      next = gap.last + 1;
    }
    if (next <= last) rest.push({ first: next, last });
    return rest;
  });
}
