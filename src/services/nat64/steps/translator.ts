/**
 * The translator's state: the packet in work, the settings, the tables, and what waits to be sent. It knows no step; the steps are
 * functions over it (pipeline.ts).
 */
import type { Counters } from '../../../runtime/counters.ts';
import type { NAT64_COUNTERS } from '../counters.ts';
import type { Flows } from '../kernel/fast-path-flows.ts';
import { type Datagrams, createDatagrams } from '../packet/datagrams.ts';
import { type Packet, createPacket } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import { type Fragments, createFragments } from '../tables/fragment-sides.ts';
import { type StoredSyns, createStoredSyns } from '../tables/stored-syns.ts';
import type { Tables } from '../tables/tables.ts';
import { type AnswerRates, createAnswerRates } from './answer-rates.ts';

export interface Translator {
  settings: Settings;
  tables: Tables;
  readonly counters: Float64Array;
  readonly packet: Packet;
  readonly fragments: Fragments;
  readonly datagrams: Datagrams;
  readonly storedSyns: StoredSyns;
  /** Flows that the kernel translates itself; undefined where it does not. */
  flows: Flows | undefined;
  /** Unsigned 32-bit random numbers, for ports: they must not be predictable. */
  readonly random: () => number;
  /** Seconds of a clock that never goes back; set before each batch of packets. */
  nowSeconds: number;
  /** Identification of the next IPv4 packet that may be fragmented. */
  identification: number;
  /** ICMP errors of our own that may still be sent. */
  readonly answerRates: AnswerRates;
}

export function createTranslator(
  settings: Settings,
  tables: Tables,
  counters: Counters<typeof NAT64_COUNTERS>,
  random: () => number,
): Translator {
  return {
    settings,
    tables,
    counters: counters.values,
    packet: createPacket(),
    fragments: createFragments(),
    datagrams: createDatagrams(),
    flows: undefined,
    random,
    nowSeconds: 0,
    identification: random() & 0xffff,
    storedSyns: createStoredSyns(random()),
    answerRates: createAnswerRates(random),
  };
}
