/** Filtering and updating for packets from the IPv4 side (RFC 6146 section 3.5): they need an existing BIB entry. */
import { isNonGlobal } from '../../../wire/ipv4-scope.ts';
import { COUNTER, CONTINUE, HELD, RETURN_TO_KERNEL, type Verdict } from '../counters.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { isInPool } from '../settings/pool.ts';
import { findBibByMappedPort } from '../tables/bib.ts';
import { mayBeGivenSession } from '../tables/clients.ts';
import { findSession, hasSessionWith } from '../tables/sessions.ts';
import { KEPT, storeSyn } from '../tables/stored-syns.ts';
import { CONTROL, PREFIX_MASK, PREFIX_SHIFT, RECORD_WORDS, SESSION } from '../tables/tables.ts';
import { FROM_V4, TCP_STATE } from '../tables/tcp-state.ts';
import { isForKernel } from './hairpin.ts';
import type { Translator } from './translator.ts';
import {
  NO_STATE,
  initialLifetimeSeconds,
  openSession,
  opensConnection,
  refreshSession,
} from './update-session.ts';

/** Finds the session of the packet, or makes one if the BIB has an entry for it. */
export function filterFrom4(translator: Translator): Verdict {
  const { packet, tables, settings } = translator;
  const { protocol } = packet;
  if (packet.isStateless) return CONTINUE;
  const bib = findBibByMappedPort(tables, packet.mappedSlot, protocol, packet.mappedPort);
  if (bib === 0) {
    if (isForKernel(translator)) return RETURN_TO_KERNEL;
    // N7: everything else is dropped.
    return keepSyn(translator) ? HELD : COUNTER['drop-no-bib-entry'];
  }
  const session = findSession(tables, bib, packet.remoteAddress, packet.remotePort);
  packet.bib = bib;
  packet.session = session;
  if (settings.prefixes.length > 1) choosePrefix(translator);
  if (packet.isError) return session === 0 ? COUNTER['drop-icmp-no-session'] : CONTINUE;
  if (session !== 0) {
    refreshSession(translator, FROM_V4);
    return CONTINUE;
  }
  if (settings.isAddressDependent && !hasSessionWith(tables, bib, packet.remoteAddress))
    return keepSyn(translator) ? HELD : COUNTER['drop-filtered'];
  // N13: a segment that opens no connection passes if a BIB entry exists, and changes no state.
  if (protocol === TRANSPORT.TCP && !opensConnection(packet)) return CONTINUE;
  // N12: with endpoint-independent filtering, a BIB entry is sufficient.
  if (!mayBeGivenSession(tables, bib * RECORD_WORDS)) return COUNTER['drop-client-share'];
  const state = protocol === TRANSPORT.TCP ? TCP_STATE.V4_INIT : NO_STATE;
  const lifetimeSeconds = initialLifetimeSeconds(settings.lifetimes, protocol);
  return openSession(translator, state, lifetimeSeconds) ? CONTINUE : COUNTER['drop-sessions-full'];
}

/** N11, N12, N39: an unsolicited SYN is kept without an answer, because the host may send a SYN of its own that crosses it. */
function keepSyn({ packet, settings, storedSyns, counters, nowSeconds, tables }: Translator): boolean {
  const isSyn = packet.protocol === TRANSPORT.TCP && !packet.isError && opensConnection(packet);
  if (!isSyn || !settings.storesSyns) return false;
  // No host can ever open a connection from a port outside the pool.
  if (!isInPool(settings, packet.mappedSlot, packet.protocol, packet.mappedPort)) return false;
  const kept = storeSyn(storedSyns, packet, nowSeconds);
  // A retransmitted SYN counts as stored as well: its sender gets no answer yet either.
  counters[COUNTER['syns-stored']]++;
  if (kept === KEPT.displaced) counters[COUNTER['syns-displaced']]++;
  tables.control[CONTROL.STORED_SYNS] = storedSyns.shares.usedSlots;
  return true;
}

/** Chooses the prefix of the packet's session; without a session, the first prefix that may represent the source address. */
function choosePrefix({ packet, tables, settings }: Translator): void {
  if (packet.session !== 0) {
    const portAndState = tables.sessions[packet.session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE];
    packet.prefixIndex = (portAndState & PREFIX_MASK) >> PREFIX_SHIFT;
  } else if (settings.prefix.refusesPrivate && isNonGlobal(packet.remoteAddress)) {
    packet.prefixIndex = Math.max(settings.privatePrefix, 0);
  }
}
