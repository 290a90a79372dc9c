/**
 * The translator: one packet at a time passes through the steps of RFC 6146 section 3, the same for both directions. Each step
 * returns a verdict. Packets are dropped only here, and every drop is counted.
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
 * Translates `translator.packet` in place. True if there is a packet to send, from `start` to `end`: the translation, the ICMP
 * error that answers it, or the unchanged packet, which goes back to the kernel. After it has been sent, `nextToSend` says
 * whether there is another.
 */
export function translate(translator: Translator): boolean {
  translator.packet.isHairpinned = false;
  return translateOne(translator) || nextToSend(translator);
}

/** Makes the next packet to send after the last one: its next fragment or datagram, or a fragment that waited for it. */
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
  // RFC 6146 section 3.8: a packet for a mapping of ours goes through the steps again, as a packet from the IPv4 side.
  if (version === 6 && verdict === CONTINUE && isHairpin(translator)) return comeBackIn(translator);
  return endWith(translator, verdict, version);
}

/** The steps of RFC 6146 sections 3.4 to 3.7. CONTINUE: the packet is translated. */
function takeSteps(translator: Translator, isIpv6: boolean): Verdict {
  const { settings, packet } = translator;
  // Section 3.4: the tuple of the packet. Packets that are never translated end here.
  let verdict = isIpv6 ? determineTuple6(settings, packet) : determineTuple4(settings, packet);
  // Section 3.5: the BIB entry and the session. Among fragments only the first has a tuple, so it is filtered for all of them.
  if (verdict === CONTINUE) verdict = filterAndUpdate(translator, isIpv6);
  else if (verdict === FRAGMENT) verdict = takeFragment(translator, isIpv6);
  if (verdict !== CONTINUE) return verdict;
  // Section 3.6: the addresses and ports on the other side.
  computeOutgoingTuple(translator, isIpv6);
  // From now on the kernel may translate the ordinary packets of the flow.
  handOver(translator, isIpv6);
  // Section 3.7 and RFC 7915: the packet's headers.
  translatePacket(translator, isIpv6);
  return CONTINUE;
}

/** Hairpinning (N19). An error that answers the packet is translated back as well, to the host that sent the packet. */
function comeBackIn(translator: Translator): boolean {
  const { packet, counters } = translator;
  count(translator);
  counters[COUNTER.hairpinned]++;
  packet.isHairpinned = true;
  return endWith(translator, takeSteps(translator, false), 4);
}

/** The same for an ICMPv4 error that we send about a hairpinned packet, at once or later. */
export const errorComesBackIn = (translator: Translator): boolean =>
  endWith(translator, takeSteps(translator, false), 0);

/** Carries out the verdict; true if there is a packet to send. With version 0, a drop causes no ICMP error. */
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
