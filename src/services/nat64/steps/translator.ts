/**
 * The translator: one packet at a time through the steps of RFC 6146 section 3.3. Each step returns a verdict; only
 * `translate` drops, and every drop counts.
 */
import type { Counters } from '../../../runtime/counters.ts';
import { type AnswerRates, answer, createAnswerRates } from './answer.ts';
import {
  COUNTER,
  CONTINUE,
  DATAGRAMS,
  FRAGMENT,
  HELD,
  type NAT64_COUNTERS,
  RETURN_TO_KERNEL,
  type Verdict,
} from '../counters.ts';
import { type Datagrams, createDatagrams, keepDatagrams, nextDatagram } from '../packet/datagrams.ts';
import { filterFrom4, filterFrom6, isForKernel, isHairpin } from './filter.ts';
import type { Flows } from '../kernel/fast-path-flows.ts';
import { cutPacket, nextFragment } from '../packet/fragmentation.ts';
import { type Fragments, createFragments, nextFragmentThatWaited, takeFragment } from './fragments.ts';
import { determineTuple4, mayPass4 } from './incoming-tuple-4.ts';
import { determineTuple6 } from './incoming-tuple-6.ts';
import { type Packet, createPacket, segmentsOf } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import { type StoredSyns, createStoredSyns } from '../tables/stored-syns.ts';
import type { Tables } from '../tables/tables.ts';
import { translateError4to6, translateError6to4 } from './translate-error.ts';
import { translate4to6 } from './translate-4to6.ts';
import { translate6to4 } from './translate-6to4.ts';

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

/**
 * Translates `translator.packet` where it lies. True when there is a packet to send, from `start` up to `end`: the
 * translation, the ICMP error that answers it, or the unchanged packet on its way back to the kernel. Once it has been
 * sent, `nextToSend` tells whether there is another.
 */
export function translate(translator: Translator): boolean {
  translator.packet.isHairpinned = false;
  return translateOne(translator) || nextToSend(translator);
}

/** Makes the next packet of those that the last one became, or let go: its fragments, datagrams, fragments that waited. */
export function nextToSend(translator: Translator): boolean {
  if (nextFragment(translator.packet)) {
    count(translator);
    return true;
  }
  while (nextDatagram(translator.datagrams, translator.packet)) if (translate(translator)) return true;
  while (nextFragmentThatWaited(translator)) {
    const isSent = translateOne(translator);
    translator.fragments.isReleased = false;
    if (isSent) return true;
  }
  return false;
}

function translateOne(translator: Translator): boolean {
  const { packet } = translator;
  const version = packet.end > packet.start ? packet.bytes[packet.start] >> 4 : 0;
  if (version !== 6 && version !== 4) return drop(translator, COUNTER['drop-not-ip'], version);
  const isIpv6 = version === 6;
  const verdict = isIpv6 ? from6(translator) : from4(translator);
  if (verdict === DATAGRAMS) {
    keepDatagrams(translator.datagrams, packet);
    return false;
  }
  if (verdict === CONTINUE && isIpv6 && isHairpin(translator)) return comeBackIn(translator);
  if (verdict === CONTINUE) return goOut(translator);
  // A fragment of a hairpinned packet that waited.
  if (verdict >= 0 && packet.isHairpinned)
    return drop(translator, verdict, 4) && errorComesBackIn(translator);
  return endWith(translator, verdict, version);
}

/** Cuts a translated packet where that must be, and counts it. */
function goOut(translator: Translator): boolean {
  const { packet } = translator;
  if (packet.cutLimitBytes !== 0) cutPacket(packet, packet.cutLimitBytes);
  count(translator);
  return true;
}

function count({ packet, counters }: Translator): void {
  const bytes = packet.end - packet.start;
  if (packet.bytes[packet.start] >> 4 === 4) {
    counters[COUNTER['packets-6to4']] += segmentsOf(packet);
    counters[COUNTER['bytes-6to4']] += bytes;
  } else {
    counters[COUNTER['packets-4to6']] += segmentsOf(packet);
    counters[COUNTER['bytes-4to6']] += bytes;
  }
}

/**
 * RFC 6146 section 3.8: a packet for a mapping of ours goes through again as one from the IPv4 side (N19). So does an
 * error that answers it, to the host that it came from.
 */
function comeBackIn(translator: Translator): boolean {
  const { packet, counters } = translator;
  count(translator);
  counters[COUNTER.hairpinned]++;
  packet.isHairpinned = true;
  const verdict = from4(translator);
  if (verdict >= 0) return drop(translator, verdict, 4) && errorComesBackIn(translator);
  return verdict === CONTINUE ? goOut(translator) : endWith(translator, verdict, 0);
}

/**
 * The same for an ICMPv4 error of our own about a packet that had come back in, made at once or later: its sender is a
 * host of ours.
 */
export function errorComesBackIn(translator: Translator): boolean {
  const verdict = from4(translator);
  return verdict === CONTINUE ? goOut(translator) : endWith(translator, verdict, 0);
}

/** For what is not translated; a version of 0 when nobody is to be told. */
function endWith(translator: Translator, verdict: Verdict, version: number): boolean {
  if (verdict === HELD) return false;
  if (verdict !== RETURN_TO_KERNEL) return drop(translator, verdict, version);
  translator.counters[COUNTER['icmp-returned']]++;
  return true;
}

/** Counts the reason, and turns the packet into the ICMP error that tells its sender, where there is one. */
function drop(translator: Translator, reason: Verdict, version: number): boolean {
  translator.counters[reason]++;
  return answer(translator, reason, version);
}

function from6(translator: Translator): Verdict {
  const { packet } = translator;
  const tuple = determineTuple6(translator.settings, packet);
  const filtered =
    tuple === FRAGMENT
      ? takeFragment(translator, true)
      : tuple === CONTINUE
        ? filterFrom6(translator)
        : tuple;
  if (filtered !== CONTINUE) return filtered;
  if (packet.isError) translateError6to4(translator);
  else translate6to4(translator);
  return CONTINUE;
}

function from4(translator: Translator): Verdict {
  const { packet } = translator;
  const tuple = determineTuple4(translator.settings, packet);
  const filtered =
    tuple === FRAGMENT ? takeFragment(translator, false) : tuple === CONTINUE ? filter4(translator) : tuple;
  if (filtered !== CONTINUE) return filtered;
  if (packet.isError) translateError4to6(translator);
  else translate4to6(translator);
  return CONTINUE;
}

function filter4(translator: Translator): Verdict {
  if (!translator.packet.isError) {
    if (isForKernel(translator)) return RETURN_TO_KERNEL;
    const mayPass = mayPass4(translator.settings, translator.packet);
    if (mayPass !== CONTINUE) return mayPass;
  }
  return filterFrom4(translator);
}
