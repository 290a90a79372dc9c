/** Filtering and updating for packets from the IPv4 side (RFC 6146 section 3.5): they need a BIB entry that is there. */
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

/** Finds the packet's session, or makes one where the BIB allows it. */
export function filterFrom4(translator: Translator): Verdict {
  const { packet, tables, settings } = translator;
  const { protocol } = packet;
  if (packet.isStateless) return CONTINUE;
  const bib = findBibByMappedPort(tables, packet.mappedSlot, protocol, packet.mappedPort);
  if (bib === 0) {
    if (isForKernel(translator)) return RETURN_TO_KERNEL;
    // N7: all else is dropped in silence.
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
  // N13: a segment that opens nothing passes where a BIB entry exists, and leaves the state alone.
  if (protocol === TRANSPORT.TCP && !opensConnection(packet)) return CONTINUE;
  // N12: with endpoint-independent filtering a BIB entry is all the permission that is needed.
  if (!mayBeGivenSession(tables, bib * RECORD_WORDS)) return COUNTER['drop-client-share'];
  const state = protocol === TRANSPORT.TCP ? TCP_STATE.V4_INIT : NO_STATE;
  const lifetimeSeconds = initialLifetimeSeconds(settings.lifetimes, protocol);
  return openSession(translator, state, lifetimeSeconds) ? CONTINUE : COUNTER['drop-sessions-full'];
}

/** N11, N12, N39: an unsolicited SYN is kept, in silence, for one from the host that may cross it. */
function keepSyn({ packet, settings, storedSyns, counters, nowSeconds, tables }: Translator): boolean {
  const isSyn = packet.protocol === TRANSPORT.TCP && !packet.isError && opensConnection(packet);
  if (!isSyn || !settings.storesSyns) return false;
  // No host will ever open a connection from a port that is not in the pool.
  if (!isInPool(settings, packet.mappedSlot, packet.protocol, packet.mappedPort)) return false;
  const kept = storeSyn(storedSyns, packet, nowSeconds);
  // One that was sent again is kept as well: the sender hears nothing yet.
  counters[COUNTER['syns-stored']]++;
  if (kept === KEPT.displaced) counters[COUNTER['syns-displaced']]++;
  tables.control[CONTROL.STORED_SYNS] = storedSyns.shares.usedSlots;
  return true;
}

/** The prefix of the packet's session, or the first that may stand for its source. */
function choosePrefix({ packet, tables, settings }: Translator): void {
  if (packet.session !== 0) {
    const portAndState = tables.sessions[packet.session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE];
    packet.prefixIndex = (portAndState & PREFIX_MASK) >> PREFIX_SHIFT;
  } else if (settings.prefix.refusesPrivate && isNonGlobal(packet.remoteAddress)) {
    packet.prefixIndex = Math.max(settings.privatePrefix, 0);
  }
}
