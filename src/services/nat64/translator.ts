/**
 * The translator: one packet at a time through the steps of RFC 6146 section 3.3. Each step returns a verdict; only
 * `translate` drops, and every drop counts.
 */
import type { Counters } from '../../runtime/counters.ts';
import { answer } from './answer.ts';
import { COUNTER, CONTINUE, type NAT64_COUNTERS, RETURN_TO_KERNEL, type Verdict } from './counters.ts';
import { filterFrom4, filterFrom6 } from './filter.ts';
import { determineTuple4 } from './incoming-tuple-4.ts';
import { determineTuple6 } from './incoming-tuple-6.ts';
import { type Packet, clearOffload, createPacket, segmentsOf } from './packet.ts';
import { removeSession } from './sessions.ts';
import type { Settings } from './settings.ts';
import { BIB, RECORD_WORDS, SESSION, type Tables } from './tables.ts';
import { nextExpired } from './timer-wheel.ts';
import { translateError4to6, translateError6to4 } from './translate-error.ts';
import { translate4to6 } from './translate-4to6.ts';
import { translate6to4 } from './translate-6to4.ts';

export interface Translator {
  settings: Settings;
  readonly tables: Tables;
  readonly counters: Float64Array;
  readonly packet: Packet;
  /** Unsigned 32-bit random numbers, for ports: they must not be predictable. */
  readonly random: () => number;
  /** Seconds of a clock that never goes back; set before each batch of packets. */
  nowSeconds: number;
  /** Identification of the next IPv4 packet that may be fragmented. */
  identification: number;
  /** ICMP errors of our own that may still be sent within `answersSecond` (RFC 4443 section 2.4 f). */
  answersLeft: number;
  answersSecond: number;
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
    random,
    nowSeconds: 0,
    identification: random() & 0xffff,
    answersLeft: 0,
    answersSecond: -1,
  };
}

/**
 * Translates `translator.packet` where it lies. True when there is a packet to send, from `start` up to `end`: the
 * translation, the ICMP error that answers it, or the unchanged packet on its way back to the kernel.
 */
export function translate(translator: Translator): boolean {
  const { packet, counters } = translator;
  const version = packet.end > packet.start ? packet.bytes[packet.start] >> 4 : 0;
  let verdict: Verdict;
  if (version === 6) {
    verdict = from6(translator);
    if (verdict === CONTINUE) {
      counters[COUNTER['packets-6to4']] += segmentsOf(packet);
      counters[COUNTER['bytes-6to4']] += packet.end - packet.start;
      return true;
    }
  } else if (version === 4) {
    verdict = from4(translator);
    if (verdict === CONTINUE) {
      counters[COUNTER['packets-4to6']] += segmentsOf(packet);
      counters[COUNTER['bytes-4to6']] += packet.end - packet.start;
      return true;
    }
  } else {
    verdict = COUNTER['drop-not-ip'];
  }
  if (verdict === RETURN_TO_KERNEL) {
    counters[COUNTER['icmp-returned']]++;
    return true;
  }
  return drop(translator, verdict, version);
}

/** Counts the reason, and turns the packet into the ICMP error that tells its sender, where there is one. */
function drop(translator: Translator, reason: Verdict, version: number): boolean {
  translator.counters[reason]++;
  if (!answer(translator, reason, version)) return false;
  clearOffload(translator.packet);
  translator.counters[COUNTER['icmp-errors-sent']]++;
  return true;
}

function from6(translator: Translator): Verdict {
  const { packet } = translator;
  const tuple = determineTuple6(translator.settings, packet);
  if (tuple !== CONTINUE) return tuple;
  const filtered = filterFrom6(translator);
  if (filtered !== CONTINUE) return filtered;
  if (packet.isError) translateError6to4(translator);
  else translate6to4(translator);
  return CONTINUE;
}

function from4(translator: Translator): Verdict {
  const { packet } = translator;
  const tuple = determineTuple4(translator.settings, packet);
  if (tuple !== CONTINUE) return tuple;
  const filtered = filterFrom4(translator);
  if (filtered !== CONTINUE) return filtered;
  if (packet.isError) translateError4to6(translator);
  else translate4to6(translator);
  return CONTINUE;
}

/** Removes sessions whose life is over, at most `budget` of them, so that a turn of the loop stays short. */
export function expireSessions(translator: Translator, budget: number): void {
  const { tables, counters, nowSeconds } = translator;
  for (let removed = 0; removed < budget; removed++) {
    const index = nextExpired(tables, nowSeconds, budget);
    if (index === 0) return;
    const owner = tables.sessions[index * RECORD_WORDS + SESSION.BIB];
    counters[COUNTER['sessions-removed-tcp'] + tables.bib[owner * RECORD_WORDS + BIB.KIND] - 1]++;
    if (removeSession(tables, index)) counters[COUNTER['bib-removed']]++;
  }
}
