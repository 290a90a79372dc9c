/**
 * Traffic by server: each server has a slot of four doubles, in memory that the worker writes and the main thread reads. The
 * main thread assigns slots by name with each configuration. A connection holds the slot of its server from the dial to its end,
 * even if the server is removed from the configuration meanwhile. A slot is reused for another server only if two conditions
 * are met: the worker has applied a configuration without the old server (so no new connection takes the slot), and no
 * connection holds it. The values are not reset then, because only the worker writes: the main thread remembers the old values.
 */
import type { HostTraffic } from '../runtime/host-traffic.ts';

/** Doubles of a slot. */
export const HOST = { UP: 0, DOWN: 1, ACCEPTED: 2, OPEN: 3 } as const;
const STRIDE = 4;
/** Slot 0 is for servers that got none. 128 KiB of memory, of which only the used part is really allocated. */
const SLOTS = 4096;

/** The worker's side. */
export interface HostCounters {
  /** A connection counts at the index `hostAt` plus one of HOST. */
  readonly values: Float64Array;
  /** Where the server's slot begins; slot 0 if it has none. */
  offsetOf(server: string): number;
  /** Sets the slots by name. */
  assign(slots: Readonly<Record<string, number>>): void;
}

/** Attaches the worker. Connections of an earlier worker are gone. */
export function createHostCounters(buffer: SharedArrayBuffer): HostCounters {
  const values = new Float64Array(buffer);
  for (let at = HOST.OPEN; at < values.length; at += STRIDE) if (values[at] !== 0) values[at] = 0;
  let offsets = new Map<string, number>();
  return {
    values,
    offsetOf: (server) => offsets.get(server) ?? 0,
    assign(slots) {
      offsets = new Map(Object.entries(slots).map(([name, slot]) => [name, slot * STRIDE]));
    },
  };
}

/** The main thread's side. */
export interface HostSlots {
  /** The memory of the first worker. Pass it to the worker. It outlives workers. */
  readonly buffer: SharedArrayBuffer;
  /** Memory for one more worker. The figures are the sums. */
  another(): SharedArrayBuffer;
  /** A worker has ended, and so have its connections. */
  forgetOpen(buffer: SharedArrayBuffer): void;
  /**
   * Assigns slots to exactly these servers, for the configuration with number `generation`; the worker has applied the number
   * `applied`. A removed server that comes back counts from zero, unless it still has open connections.
   */
  assign(names: readonly string[], generation: number, applied: number): Record<string, number>;
  /** The servers of the configuration, and removed servers that still have open connections. */
  read(): Record<string, HostTraffic>;
}

interface Holder {
  readonly slot: number;
  /** The values in the slot when this server got it. */
  base: readonly number[];
  /** The first configuration without this server; 0 while it is configured. */
  leftIn: number;
}

export function createHostSlots(slots = SLOTS): HostSlots {
  const blocks: Float64Array<SharedArrayBuffer>[] = [];
  const another = () => {
    const block = new Float64Array(new SharedArrayBuffer(slots * STRIDE * 8));
    blocks.push(block);
    return block.buffer;
  };
  const sumAt = (at: number): number => blocks.reduce((sum, values) => sum + values[at], 0);
  const holders = new Map<string, Holder>();
  let fresh = 1;
  const totalsAt = (slot: number): readonly number[] =>
    [HOST.UP, HOST.DOWN, HOST.ACCEPTED].map((offset) => sumAt(slot * STRIDE + offset));
  const openAt = (slot: number): number => sumAt(slot * STRIDE + HOST.OPEN);

  /** A slot that is free or can be reused; 0 if there is none. */
  function take(applied: number): number {
    for (const [name, { slot, leftIn }] of holders) {
      if (leftIn === 0 || leftIn > applied || openAt(slot) !== 0) continue;
      holders.delete(name);
      return slot;
    }
    return fresh < slots ? fresh++ : 0;
  }

  return {
    buffer: another(),
    another,
    forgetOpen(buffer) {
      const values = new Float64Array(buffer);
      for (let at = HOST.OPEN; at < values.length; at += STRIDE) if (values[at] !== 0) values[at] = 0;
    },
    assign(names, generation, applied) {
      const wanted = new Set(names);
      for (const [name, holder] of holders) {
        if (!wanted.has(name)) holder.leftIn ||= generation;
        else if (holder.leftIn !== 0) {
          if (openAt(holder.slot) === 0) holder.base = totalsAt(holder.slot);
          holder.leftIn = 0;
        }
      }
      for (const name of wanted) {
        if (holders.has(name)) continue;
        const slot = take(applied);
        if (slot !== 0) holders.set(name, { slot, base: totalsAt(slot), leftIn: 0 });
      }
      return Object.fromEntries(
        [...holders].filter(([, { leftIn }]) => leftIn === 0).map(([name, { slot }]) => [name, slot]),
      );
    },
    read() {
      const found: Record<string, HostTraffic> = {};
      for (const [name, { slot, base, leftIn }] of holders) {
        const connections = openAt(slot);
        if (leftIn !== 0 && connections === 0) continue;
        const [up, down, accepted] = totalsAt(slot);
        found[name] = {
          'bytes-up': up - base[HOST.UP],
          'bytes-down': down - base[HOST.DOWN],
          accepted: accepted - base[HOST.ACCEPTED],
          connections,
        };
      }
      return found;
    },
  };
}
