/**
 * Filtering, and updating of BIB and sessions (RFC 6146 section 3.5). Mapping and filtering are independent of the
 * endpoint (N8, N20), unless filtering is set to depend on the address. ICMP errors only look sessions up; they never create, refresh or end one (N6, N37).
 */
import { isNonGlobal } from '../../../wire/ipv4-scope.ts';
import { TCP_FLAG } from '../../../wire/tcp-udp.ts';
import { addBib, bibSlot, findBibByHost, findBibByMappedPort, removeBib } from '../tables/bib.ts';
import {
  clientMappings,
  clientSessions,
  findClient,
  hashOfClient,
  mayBeGivenSession,
  mayHavePort,
  mayHaveSession,
} from '../tables/clients.ts';
import { COUNTER, CONTINUE, HELD, RETURN_TO_KERNEL, type Verdict } from '../counters.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { allocatePort } from '../tables/pool4.ts';
import { portBlockOf } from '../settings/port-blocks.ts';
import { passTime } from '../tables/port-use.ts';
import { addSession, findSession, hasSessionWith, setExpiry } from '../tables/sessions.ts';
import { type Lifetimes, isOurs4 } from '../settings/settings.ts';
import { KEPT, storeSyn, takeSyn } from '../tables/stored-syns.ts';
import { BIB, CONTROL, PREFIX_MASK, PREFIX_SHIFT, RECORD_WORDS, SESSION, STATE_MASK } from '../tables/tables.ts';
import { FROM_V4, TCP_STATE, nextTcpState, tcpEvent, tcpLifetimeSeconds } from '../tables/tcp-state.ts';
import type { Translator } from './translator.ts';
import { findOwnEam4 } from '../settings/stateless.ts';
import { type PortPool, isInPool, slotOf } from '../settings/pool.ts';

const FROM_V6 = 0;
const NO_STATE = 0;

/** For a packet from the IPv6 side: finds or makes its session, and fills in the mapped address and port. */
export function filterFrom6(translator: Translator): Verdict {
  const { packet, tables, settings } = translator;
  const { protocol } = packet;
  if (reachesUs(translator)) return COUNTER['drop-own-address'];
  if (packet.isStateless) {
    packet.mappedPort = packet.hostPort;
    return CONTINUE;
  }
  if (settings.isStateless) return COUNTER['drop-untranslatable'];
  // The answer would come from the prefix, not from the address that the host has sent to.
  if (packet.remoteHasEam) return COUNTER['drop-destination'];
  if (protocol === TRANSPORT.OTHER) return COUNTER['drop-icmp-quote'];
  if (settings.pools.length === 0) return COUNTER['drop-no-pool4'];
  let bib = findBibByHost(
    tables,
    protocol,
    packet.host0,
    packet.host1,
    packet.host2,
    packet.host3,
    packet.hostPort,
  );
  if (bib === 0 && settings.isPoolAway) return COUNTER['drop-no-pool4'];
  if (bib !== 0) readMapping(translator, bib);
  const session = bib === 0 ? 0 : findSession(tables, bib, packet.remoteAddress, packet.remotePort);
  if (packet.isError) return session === 0 ? COUNTER['drop-icmp-no-session'] : CONTINUE;
  if (session !== 0) {
    if (settings.prefixes.length > 1) notePrefix(translator, session);
    refresh(translator, session, FROM_V6);
    return CONTINUE;
  }
  if (protocol === TRANSPORT.TCP && !opensConnection(packet.tcpFlags)) {
    // N13: in CLOSED only a SYN makes a session; another segment passes where a BIB entry exists.
    return bib === 0 ? COUNTER['drop-tcp-not-syn'] : CONTINUE;
  }
  const hash = hashOfClient(tables, packet.host0, packet.host1, packet.host2, packet.host3);
  const client = findClient(tables, hash, packet.host0, packet.host1, packet.host2, packet.host3);
  // N42
  if (clientSessions(tables.clients, client) >= settings.maxSessionsPerClient)
    return COUNTER['drop-client-limit'];
  if (!mayHaveSession(tables, client, packet.host0, packet.host1, packet.host2, packet.host3))
    return COUNTER['drop-client-share'];
  const isNew = bib === 0;
  if (isNew) {
    if (clientMappings(tables.clients, client) >= settings.maxMappingsPerClient)
      return COUNTER['drop-client-limit'];
    const block = portBlockOf(
      settings.portBlocks,
      protocol,
      packet.host0,
      packet.host1,
      packet.host2,
      packet.host3,
    );
    if (block === undefined && settings.portBlocks !== undefined) return COUNTER['drop-no-port-block'];
    if (block === undefined) {
      passTime(tables.ports, translator.nowSeconds);
      if (!mayHavePort(tables, protocol, client, packet.host0, packet.host1, packet.host2, packet.host3))
        return COUNTER['drop-client-share'];
    }
    const slotAndPort = wishForPort(translator, client, hash, block);
    if (slotAndPort === -1) return COUNTER['drop-pool4-exhausted'];
    bib = addBib(
      tables,
      protocol,
      packet.host0,
      packet.host1,
      packet.host2,
      packet.host3,
      packet.hostPort,
      slotAndPort,
    );
    if (bib === 0) return COUNTER['drop-sessions-full'];
    readMapping(translator, bib);
  }
  let state: number = NO_STATE;
  let lifetimeSeconds = initialLifetimeSeconds(settings.lifetimes, protocol);
  if (protocol === TRANSPORT.TCP) {
    state = TCP_STATE.V6_INIT;
    if (takeSyn(translator.storedSyns, packet)) {
      // N38, N39: the SYNs have crossed; that of the other side is forgotten, and will be sent again.
      state = TCP_STATE.ESTABLISHED;
      lifetimeSeconds = settings.lifetimes.tcpEstablishedSeconds;
    }
  }
  if (!openSession(translator, bib, state, lifetimeSeconds)) {
    if (isNew) removeBib(tables, bib, translator.nowSeconds);
    return COUNTER['drop-sessions-full'];
  }
  if (isNew) translator.counters[COUNTER['bib-created']]++;
  return CONTINUE;
}

/** Fills in the IPv4 side of a BIB entry. */
function readMapping({ packet, tables, settings }: Translator, bib: number): void {
  packet.mappedPort = tables.bib[bib * RECORD_WORDS + BIB.PORTS] & 0xffff;
  packet.mappedSlot = bibSlot(tables, bib);
  packet.mappedAddress = settings.poolAddresses[packet.mappedSlot];
}

function wishForPort(
  { packet, tables, settings, nowSeconds, random }: Translator,
  client: number,
  clientHash: number,
  block: PortPool | undefined,
) {
  return allocatePort(tables, tables.clients, {
    pools: settings.pools,
    block,
    protocol: packet.protocol,
    client,
    clientHash,
    hostPort: packet.hostPort,
    nowSeconds,
    restSeconds: settings.portRestSeconds,
    keepsParity: settings.keepsPortParity,
    keepsClass: settings.keepsPortClass,
    random,
  });
}

/** For a packet from the IPv4 side: finds the session, makes one where the BIB allows it, and fills in the host. */
export function filterFrom4(translator: Translator): Verdict {
  const { packet, tables, settings } = translator;
  const { protocol } = packet;
  if (packet.isStateless) {
    packet.hostPort = packet.mappedPort;
    return CONTINUE;
  }
  const bib = findBibByMappedPort(tables, packet.mappedSlot, protocol, packet.mappedPort);
  if (bib === 0) {
    if (isForKernel(translator)) return RETURN_TO_KERNEL;
    // N7: all else is dropped in silence.
    return keepSyn(translator) ? HELD : COUNTER['drop-no-bib-entry'];
  }
  const at = bib * RECORD_WORDS;
  packet.host0 = tables.bib[at];
  packet.host1 = tables.bib[at + 1];
  packet.host2 = tables.bib[at + 2];
  packet.host3 = tables.bib[at + 3];
  packet.hostPort = tables.bib[at + BIB.PORTS] >>> 16;
  const session = findSession(tables, bib, packet.remoteAddress, packet.remotePort);
  if (settings.prefixes.length > 1) choosePrefix(translator, session);
  if (packet.isError) return session === 0 ? COUNTER['drop-icmp-no-session'] : CONTINUE;
  if (session !== 0) {
    refresh(translator, session, FROM_V4);
    return CONTINUE;
  }
  if (settings.isAddressDependent && !hasSessionWith(tables, bib, packet.remoteAddress))
    return keepSyn(translator) ? HELD : COUNTER['drop-filtered'];
  // N13: a segment that opens nothing passes where a BIB entry exists, and leaves the state alone.
  if (protocol === TRANSPORT.TCP && !opensConnection(packet.tcpFlags)) return CONTINUE;
  // N12: with endpoint-independent filtering a BIB entry is all the permission that is needed.
  if (!mayBeGivenSession(tables, at)) return COUNTER['drop-client-share'];
  const state = protocol === TRANSPORT.TCP ? TCP_STATE.V4_INIT : NO_STATE;
  const lifetimeSeconds = initialLifetimeSeconds(settings.lifetimes, protocol);
  return openSession(translator, bib, state, lifetimeSeconds) ? CONTINUE : COUNTER['drop-sessions-full'];
}

/**
 * Whether a packet to a pool4 address is one for the appliance's own programs. The kernel steers ICMP here by identifier, and
 * the appliance's own ping may have one of ours; and all fragments, as only the first shows its ports.
 */
export function isForKernel({ packet, settings, tables }: Translator): boolean {
  const { protocol, mappedSlot, mappedPort, isFragment } = packet;
  if (packet.isStateless || !settings.isOwnAddress[mappedSlot]) return false;
  if (protocol !== TRANSPORT.ICMP && (!isFragment || isInPool(settings, mappedSlot, protocol, mappedPort)))
    return false;
  return findBibByMappedPort(tables, mappedSlot, protocol, mappedPort) === 0;
}

/** N11, N12, N39: an unsolicited SYN is kept, in silence, for one from the host that may cross it. */
function keepSyn({ packet, settings, storedSyns, counters, nowSeconds, tables }: Translator): boolean {
  const isSyn = packet.protocol === TRANSPORT.TCP && !packet.isError && opensConnection(packet.tcpFlags);
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

/**
 * For a packet that has been translated to IPv4: whether it is for a mapping of ours, and so has to come back in (RFC 6146
 * section 3.8). ICMP queries never are: their identifier names the host that asks.
 */
export function isHairpin(translator: Translator): boolean {
  const { packet } = translator;
  // Of a later fragment, its first one has told, or its address alone.
  const isLater = packet.isFragment && packet.fragmentOffset !== 0;
  return isLater ? packet.fragmentIsHairpin : isHairpinByTuple(translator);
}

export function isHairpinByTuple({ packet, settings, tables }: Translator): boolean {
  const { remoteAddress, remotePort, protocol } = packet;
  if (
    settings.eamHairpinning === 'intrinsic' &&
    !packet.remoteHasEam &&
    findOwnEam4(settings, remoteAddress) !== undefined
  )
    return !packet.isError || findOwnEam4(settings, packet.errorPeer) !== undefined;
  const slot = slotOf(settings.poolAddresses, remoteAddress);
  if (slot === -1 || protocol >= TRANSPORT.ICMP) return false;
  if (packet.isError && packet.errorPeer !== remoteAddress) return false;
  return (
    isInPool(settings, slot, protocol, remotePort) ||
    findBibByMappedPort(tables, slot, protocol, remotePort) !== 0
  );
}

/**
 * For a packet from the IPv6 side, before it may open anything: whether it is for the appliance itself. There it would come
 * from an address of the appliance, and so pass every access list. What is for a mapping of ours comes back in instead.
 */
function reachesUs(translator: Translator): boolean {
  const { packet, settings } = translator;
  return (
    isOurs4(settings, packet.isError ? packet.errorPeer : packet.remoteAddress) && !isHairpin(translator)
  );
}

/** Answers come from the prefix that the host last sent to. */
function notePrefix(translator: Translator, session: number): void {
  const { packet, tables } = translator;
  const at = session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE;
  const portAndState = tables.sessions[at];
  if ((portAndState & PREFIX_MASK) >> PREFIX_SHIFT === packet.prefixIndex) return;
  tables.sessions[at] = (portAndState & ~PREFIX_MASK) | (packet.prefixIndex << PREFIX_SHIFT);
  // The kernel would go on answering from the old one.
  translator.flows?.forget(translator, session);
}

/** For a packet from the IPv4 side: the prefix of its session, or the first that may stand for its source. */
function choosePrefix({ packet, tables, settings }: Translator, session: number): void {
  if (session !== 0) {
    const portAndState = tables.sessions[session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE];
    packet.prefixIndex = (portAndState & PREFIX_MASK) >> PREFIX_SHIFT;
  } else if (settings.prefix.refusesPrivate && isNonGlobal(packet.remoteAddress)) {
    packet.prefixIndex = Math.max(settings.privatePrefix, 0);
  }
}

const opensConnection = (tcpFlags: number): boolean =>
  (tcpFlags & (TCP_FLAG.SYN | TCP_FLAG.RST)) === TCP_FLAG.SYN;

function openSession(translator: Translator, bib: number, state: number, lifetimeSeconds: number): boolean {
  const { packet, tables, nowSeconds } = translator;
  const expiresAt = nowSeconds + lifetimeSeconds;
  const { remoteAddress, remotePort } = packet;
  const stateAndPrefix = state | (packet.prefixIndex << PREFIX_SHIFT);
  const session = addSession(tables, bib, remoteAddress, remotePort, stateAndPrefix, nowSeconds, expiresAt);
  if (session === 0) return false;
  translator.flows?.begin(session);
  translator.counters[COUNTER['sessions-created-tcp'] + packet.protocol]++;
  return true;
}

function initialLifetimeSeconds(lifetimes: Lifetimes, protocol: number): number {
  if (protocol === TRANSPORT.TCP) return lifetimes.tcpTransitorySeconds;
  return protocol === TRANSPORT.UDP ? lifetimes.udpSeconds : lifetimes.icmpSeconds;
}

/** Takes note of a packet of a session, from either side (N36): its lifetime, and for TCP its state. */
function refresh(translator: Translator, session: number, side: number): void {
  const { packet, tables, nowSeconds, flows } = translator;
  const { lifetimes } = translator.settings;
  if (packet.protocol !== TRANSPORT.TCP) {
    const seconds = initialLifetimeSeconds(lifetimes, packet.protocol);
    setExpiry(tables, session, nowSeconds, nowSeconds + seconds);
    flows?.note(translator, session, NO_STATE, side === FROM_V6);
    return;
  }
  const at = session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE;
  const portAndState = tables.sessions[at];
  const state = portAndState & STATE_MASK;
  const event = tcpEvent(packet.tcpFlags) | side;
  const next = nextTcpState(state, event);
  if (next !== state) tables.sessions[at] = (portAndState & ~STATE_MASK) | next;
  const lifetimeSeconds = tcpLifetimeSeconds(lifetimes, state, event);
  if (lifetimeSeconds !== 0) setExpiry(tables, session, nowSeconds, nowSeconds + lifetimeSeconds);
  flows?.note(translator, session, next, side === FROM_V6);
}
