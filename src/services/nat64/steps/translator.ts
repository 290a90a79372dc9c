/**
 * The state of the translator: the current packet, the settings, the tables, and packets that wait to be sent. It does not depend
 * on the steps: they are functions over it (pipeline.ts).
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
  /** Flows that the kernel translates itself; undefined if it translates none. */
  flows: Flows | undefined;
  /** Unsigned 32-bit random numbers, for ports: they must not be predictable. */
  readonly random: () => number;
  /** Seconds of a clock that never goes back; set before each batch of packets. */
  nowSeconds: number;
  /** Identification of the next IPv4 packet that may be fragmented. */
  identification: number;
  /** The rate limits of the ICMP errors that we send. */
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
