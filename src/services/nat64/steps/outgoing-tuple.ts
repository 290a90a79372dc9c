/**
 * Computes the outgoing tuple (RFC 6146 section 3.6): the addresses and ports on the other side, from the BIB entry. A host with an
 * IPv4 address of its own keeps its ports. For a later fragment, the values come from the record of its datagram (fragments.ts).
 */
import { bibSlot } from '../tables/bib.ts';
import { BIB, RECORD_WORDS } from '../tables/tables.ts';
import type { Translator } from './translator.ts';

export function computeOutgoingTuple({ packet, tables, settings }: Translator, isIpv6: boolean): void {
  const { bib } = packet;
  const at = bib * RECORD_WORDS;
  if (isIpv6) {
    if (bib === 0) {
      packet.mappedPort = packet.hostPort;
      return;
    }
    packet.mappedPort = tables.bib[at + BIB.PORTS] & 0xffff;
    packet.mappedSlot = bibSlot(tables, bib);
    packet.mappedAddress = settings.poolAddresses[packet.mappedSlot];
    return;
  }
  if (bib === 0) {
    packet.hostPort = packet.mappedPort;
    return;
  }
  const { host } = packet;
  host[0] = tables.bib[at];
  host[1] = tables.bib[at + 1];
  host[2] = tables.bib[at + 2];
  host[3] = tables.bib[at + 3];
  packet.hostPort = tables.bib[at + BIB.PORTS] >>> 16;
}
