/**
 * The translator: one packet at a time through the steps of RFC 6146 section 3, the same from both sides. Each step returns a
 * verdict; only here a packet is dropped, and every drop counts.
 */
import {
  COUNTER,
  CONTINUE,
  DATAGRAMS,
  FRAGMENT,
  RETURN_TO_KERNEL,
  type Verdict,
  isDrop,
} from '../counters.ts';
import { keepDatagrams, nextDatagram } from '../packet/datagrams.ts';
import { cutPacket, nextFragment } from '../packet/fragmentation.ts';
import { segmentsOf } from '../packet/packet.ts';
import { answer } from './answer.ts';
import { filterAndUpdate } from './filter.ts';
import { nextFragmentThatWaited, takeFragment } from './fragments.ts';
import { isHairpin } from './hairpin.ts';
import { handOver } from './hand-over.ts';
import { determineTuple4 } from './incoming-tuple-4.ts';
import { determineTuple6 } from './incoming-tuple-6.ts';
import { computeOutgoingTuple } from './outgoing-tuple.ts';
import { translatePacket } from './translate-packet.ts';
import type { Translator } from './translator.ts';

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
  const { packet, datagrams, fragments } = translator;
  if (nextFragment(packet)) {
    count(translator);
    return true;
  }
  while (nextDatagram(datagrams, packet)) if (translateOne(translator)) return true;
  while (nextFragmentThatWaited(translator)) {
    const isSent = translateOne(translator);
    fragments.isReleased = false;
    if (isSent) return true;
  }
  return false;
}

function translateOne(translator: Translator): boolean {
  const { packet } = translator;
  const version = packet.end > packet.start ? packet.bytes[packet.start] >> 4 : 0;
  if (version !== 6 && version !== 4) return endWith(translator, COUNTER['drop-not-ip'], version);
  const verdict = takeSteps(translator, version === 6);
  // RFC 6146 section 3.8: a packet for a mapping of ours goes through again, as one from the IPv4 side.
  if (version === 6 && verdict === CONTINUE && isHairpin(translator)) return comeBackIn(translator);
  return endWith(translator, verdict, version);
}

/** The steps of RFC 6146 sections 3.4 to 3.7. CONTINUE: the packet is translated. */
function takeSteps(translator: Translator, isIpv6: boolean): Verdict {
  const { settings, packet } = translator;
  // Section 3.4: which tuple the packet has; what is never translated ends here.
  let verdict = isIpv6 ? determineTuple6(settings, packet) : determineTuple4(settings, packet);
  // Section 3.5: the BIB entry and the session. Of several fragments only the first has a tuple: it goes this way for all.
  if (verdict === CONTINUE) verdict = filterAndUpdate(translator, isIpv6);
  else if (verdict === FRAGMENT) verdict = takeFragment(translator, isIpv6);
  if (verdict !== CONTINUE) return verdict;
  // Section 3.6: the addresses and ports on the other side.
  computeOutgoingTuple(translator, isIpv6);
  // What is plain of a flow from now on, the kernel may do by itself.
  handOver(translator, isIpv6);
  // Section 3.7 and RFC 7915: the packet's headers.
  translatePacket(translator, isIpv6);
  return CONTINUE;
}

/** Hairpinning (N19). An error that answers the packet comes back in as well, to the host that it came from. */
function comeBackIn(translator: Translator): boolean {
  const { packet, counters } = translator;
  count(translator);
  counters[COUNTER.hairpinned]++;
  packet.isHairpinned = true;
  return endWith(translator, takeSteps(translator, false), 4);
}

/** The same for an ICMPv4 error of our own about a packet that had come back in, made at once or later. */
export const errorComesBackIn = (translator: Translator): boolean =>
  endWith(translator, takeSteps(translator, false), 0);

/** What becomes of the packet: true when there is something to send. A version of 0: nobody is told of a drop. */
function endWith(translator: Translator, verdict: Verdict, version: number): boolean {
  const { packet, counters, datagrams } = translator;
  if (verdict === CONTINUE) {
    if (packet.cutLimitBytes !== 0) cutPacket(packet, packet.cutLimitBytes);
    count(translator);
    return true;
  }
  if (isDrop(verdict)) {
    counters[verdict]++;
    if (!answer(translator, verdict, version)) return false;
    return !packet.isHairpinned || errorComesBackIn(translator);
  }
  if (verdict === DATAGRAMS) keepDatagrams(datagrams, packet);
  if (verdict !== RETURN_TO_KERNEL) return false;
  counters[COUNTER['icmp-returned']]++;
  return true;
}

function count({ packet, counters }: Translator): void {
  const isIpv4 = packet.bytes[packet.start] >> 4 === 4;
  counters[isIpv4 ? COUNTER['packets-6to4'] : COUNTER['packets-4to6']] += segmentsOf(packet);
  counters[isIpv4 ? COUNTER['bytes-6to4'] : COUNTER['bytes-4to6']] += packet.end - packet.start;
}
