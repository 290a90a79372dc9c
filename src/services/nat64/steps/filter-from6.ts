/** Filtering and updating for packets from the IPv6 side (RFC 6146 section 3.5): they may make BIB entries. */
import { COUNTER, CONTINUE, type Verdict } from '../counters.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { portBlockOf } from '../settings/port-blocks.ts';
import type { PortPool } from '../settings/pool.ts';
import { addBib, findBibByHost, removeBib } from '../tables/bib.ts';
import {
  clientMappings,
  clientSessions,
  findClient,
  hashOfClient,
  mayHavePort,
  mayHaveSession,
} from '../tables/clients.ts';
import { allocatePort } from '../tables/pool4.ts';
import { passTime } from '../tables/port-use.ts';
import { findSession } from '../tables/sessions.ts';
import { takeSyn } from '../tables/stored-syns.ts';
import { PREFIX_MASK, PREFIX_SHIFT, RECORD_WORDS, SESSION } from '../tables/tables.ts';
import { TCP_STATE } from '../tables/tcp-state.ts';
import { reachesUs } from './hairpin.ts';
import { computeOutgoingTuple } from './outgoing-tuple.ts';
import type { Translator } from './translator.ts';
import {
  NO_STATE,
  initialLifetimeSeconds,
  openSession,
  opensConnection,
  refreshSession,
} from './update-session.ts';

const FROM_V6 = 0;

/** Finds or makes the session of the packet. */
export function filterFrom6(translator: Translator): Verdict {
  const { packet, tables, settings } = translator;
  const { protocol } = packet;
  if (reachesUs(translator)) return COUNTER['drop-own-address'];
  if (packet.isStateless) return CONTINUE;
  if (settings.isStateless) return COUNTER['drop-untranslatable'];
  // The answer would come from an address in the prefix, not from the address that the host sent the packet to.
  if (packet.remoteHasEam) return COUNTER['drop-destination'];
  if (protocol === TRANSPORT.OTHER) return COUNTER['drop-icmp-quote'];
  if (settings.pools.length === 0) return COUNTER['drop-no-pool4'];
  const bib = findBibByHost(tables, packet);
  if (bib === 0 && settings.isPoolAway) return COUNTER['drop-no-pool4'];
  const session = bib === 0 ? 0 : findSession(tables, bib, packet.remoteAddress, packet.remotePort);
  packet.bib = bib;
  packet.session = session;
  if (packet.isError) return session === 0 ? COUNTER['drop-icmp-no-session'] : CONTINUE;
  if (session !== 0) {
    if (settings.prefixes.length > 1) notePrefix(translator);
    refreshSession(translator, FROM_V6);
    return CONTINUE;
  }
  if (protocol === TRANSPORT.TCP && !opensConnection(packet)) {
    // N13: in the state CLOSED, only a SYN makes a session. Any other segment passes if a BIB entry exists.
    return bib === 0 ? COUNTER['drop-tcp-not-syn'] : CONTINUE;
  }
  return openFrom6(translator);
}

/** Makes the session, and the BIB entry if there is none yet. */
function openFrom6(translator: Translator): Verdict {
  const { packet, tables, settings } = translator;
  const hash = hashOfClient(tables, packet.host);
  const client = findClient(tables, hash, packet.host);
  // N42
  if (clientSessions(tables.clients, client) >= settings.maxSessionsPerClient)
    return COUNTER['drop-client-limit'];
  if (!mayHaveSession(tables, client, packet.host)) return COUNTER['drop-client-share'];
  const isNew = packet.bib === 0;
  if (isNew) {
    const made = makeMapping(translator, client, hash);
    if (made !== CONTINUE) return made;
  }
  let state: number = NO_STATE;
  let lifetimeSeconds = initialLifetimeSeconds(settings.lifetimes, packet.protocol);
  if (packet.protocol === TRANSPORT.TCP) {
    state = TCP_STATE.V6_INIT;
    // A stored SYN of the other side is found by the outgoing tuple.
    computeOutgoingTuple(translator, true);
    if (takeSyn(translator.storedSyns, packet)) {
      // N38, N39: the SYNs have crossed. The SYN of the other side is dropped; its sender will retransmit it.
      state = TCP_STATE.ESTABLISHED;
      lifetimeSeconds = settings.lifetimes.tcpEstablishedSeconds;
    }
  }
  if (!openSession(translator, state, lifetimeSeconds)) {
    if (isNew) removeBib(tables, packet.bib, translator.nowSeconds);
    return COUNTER['drop-sessions-full'];
  }
  if (isNew) translator.counters[COUNTER['bib-created']]++;
  return CONTINUE;
}

/** RFC 6146 section 3.5.1: makes a BIB entry for the host and port of the packet, if its client may have another mapping. */
function makeMapping(translator: Translator, client: number, clientHash: number): Verdict {
  const { packet, tables, settings } = translator;
  const { protocol, host } = packet;
  if (clientMappings(tables.clients, client) >= settings.maxMappingsPerClient)
    return COUNTER['drop-client-limit'];
  const block = portBlockOf(settings.portBlocks, protocol, host);
  if (block === undefined && settings.portBlocks !== undefined) return COUNTER['drop-no-port-block'];
  if (block === undefined) {
    passTime(tables.ports, translator.nowSeconds);
    if (!mayHavePort(tables, protocol, client, host)) return COUNTER['drop-client-share'];
  }
  const slotAndPort = findPort(translator, client, clientHash, block);
  if (slotAndPort === -1) return COUNTER['drop-pool4-exhausted'];
  packet.bib = addBib(tables, packet, slotAndPort);
  return packet.bib === 0 ? COUNTER['drop-sessions-full'] : CONTINUE;
}

function findPort(
  { packet, tables, settings, nowSeconds, random }: Translator,
  client: number,
  clientHash: number,
  block: PortPool | undefined,
): number {
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

/** Notes the prefix that the host has just sent to: answers come from the prefix that it used last. */
function notePrefix({ packet, tables }: Translator): void {
  const at = packet.session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE;
  const portAndState = tables.sessions[at];
  if ((portAndState & PREFIX_MASK) >> PREFIX_SHIFT === packet.prefixIndex) return;
  tables.sessions[at] = (portAndState & ~PREFIX_MASK) | (packet.prefixIndex << PREFIX_SHIFT);
  packet.movesPrefix = true;
}
