/**
 * Traffic by server: a slot of four doubles for each, in memory that the worker writes and the main thread reads. The main
 * thread gives out slots by name with each configuration; a connection holds the slot of its server from the dial to its
 * end, also when the server has left the configuration meanwhile. A slot is another server's only when its name was
 * taken from it by a configuration that the worker has applied (so that nobody enters it any more) and no connection holds
 * it. Nothing is set back for that, because only the worker writes: the main thread remembers what was there.
 */
import type { HostTraffic } from '../runtime/host-traffic.ts';

/** Doubles of a slot. */
export const HOST = { UP: 0, DOWN: 1, ACCEPTED: 2, OPEN: 3 } as const;
const STRIDE = 4;
/** Slot 0 is for servers that got none. 128 KiB of memory, of which only what is used is there. */
const SLOTS = 4096;

/** The worker's side. */
export interface HostCounters {
  /** A connection counts at its `hostAt` plus one of HOST. */
  readonly values: Float64Array;
  /** Where the server's slot begins; that of slot 0 when it has none. */
  offsetOf(server: string): number;
  /** Slots by name, from now on. */
  assign(slots: Readonly<Record<string, number>>): void;
}

/** Attaches the worker. Connections of one before it are gone. */
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
  /** Hand it to the worker; it outlives workers. */
  readonly buffer: SharedArrayBuffer;
  /**
   * The slots of exactly these servers, for the configuration with number `generation`, when the worker goes by number
   * `applied`. A server that comes back while nothing was left of it counts anew.
   */
  assign(names: readonly string[], generation: number, applied: number): Record<string, number>;
  /** Servers of the configuration, and those that left it while connections of theirs are open. */
  read(): Record<string, HostTraffic>;
}

interface Holder {
  readonly slot: number;
  /** What was in the slot when this server got it. */
  base: readonly number[];
  /** The configuration that did not have it any more; 0 while it has. */
  leftIn: number;
}

export function createHostSlots(slots = SLOTS): HostSlots {
  const buffer = new SharedArrayBuffer(slots * STRIDE * 8);
  const values = new Float64Array(buffer);
  const holders = new Map<string, Holder>();
  let fresh = 1;
  const totalsAt = (slot: number): readonly number[] => [
    ...values.subarray(slot * STRIDE, slot * STRIDE + HOST.OPEN),
  ];
  const openAt = (slot: number): number => values[slot * STRIDE + HOST.OPEN];

  /** A slot that nobody holds, 0 when there is none. */
  function take(applied: number): number {
    for (const [name, { slot, leftIn }] of holders) {
      if (leftIn === 0 || leftIn > applied || openAt(slot) !== 0) continue;
      holders.delete(name);
      return slot;
    }
    return fresh < slots ? fresh++ : 0;
  }

  return {
    buffer,
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
