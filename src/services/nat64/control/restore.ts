/** Restores the sessions of a snapshot into the tables, as far as they still fit the settings. */
import { addBib, findBibByHost, findBibByMappedPort, isStaticBib, removeBib } from '../tables/bib.ts';
import { COUNTER } from '../counters.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { addSession, findSession } from '../tables/sessions.ts';
import { mayKeepMapping } from '../settings/keep-mapping.ts';
import { type Snapshot, readSnapshotBib, readSnapshotSession, snapshotSessions } from './snapshot.ts';
import { BIB, BIB_KIND, PREFIX_SHIFT, RECORD_WORDS, STATE_MASK } from '../tables/tables.ts';
import { TCP_STATE } from '../tables/tcp-state.ts';
import type { Translator } from '../steps/translator.ts';
import { slotOf } from '../settings/pool.ts';

/** What the worker has to restore. */
export interface RestoreOrder {
  readonly snapshot: Snapshot;
  /** By prefix number of the snapshot: the prefix number in the settings, -1 for a prefix that no longer exists. */
  readonly prefixes: readonly number[];
  /** Seconds since the snapshot was taken. */
  readonly elapsedSeconds: number;
}

/** We never give a longer lifetime. */
const LONGEST_SECONDS = 86_400;
const NONE = -1;

/** Restores the sessions; returns how many were restored. */
export function restoreSessions(translator: Translator, order: RestoreOrder): number {
  const { tables, nowSeconds } = translator;
  const { snapshot, prefixes, elapsedSeconds } = order;
  /** By number in the snapshot: the BIB entry, or NONE if it does not fit. */
  const entries = new Map<number, number>();
  let restored = 0;
  for (let i = 0; i < snapshotSessions(snapshot); i++) {
    const {
      bib: number,
      remoteAddress,
      remotePort,
      stateAndPrefix,
      secondsLeft,
    } = readSnapshotSession(snapshot, i);
    const lifeSeconds = Math.min(secondsLeft - elapsedSeconds, LONGEST_SECONDS);
    const prefixIndex = prefixes[stateAndPrefix >> PREFIX_SHIFT] ?? NONE;
    if (lifeSeconds <= 0 || prefixIndex === NONE) continue;
    const state = stateAndPrefix & STATE_MASK;
    if (!isState(state, protocolOf(snapshot, number))) continue;
    const entry = entries.get(number) ?? restoreBib(translator, snapshot, number);
    entries.set(number, entry);
    if (entry === NONE || findSession(tables, entry, remoteAddress, remotePort) !== 0) continue;
    const expiresAt = nowSeconds + lifeSeconds;
    const word = state | (prefixIndex << PREFIX_SHIFT);
    if (addSession(tables, entry, remoteAddress, remotePort, word, nowSeconds, expiresAt) === 0) {
      // The tables are full.
      const isUseless = tables.bib[entry * RECORD_WORDS + BIB.SESSIONS] === 0 && !isStaticBib(tables, entry);
      if (isUseless) removeBib(tables, entry, nowSeconds);
      break;
    }
    restored++;
  }
  translator.counters[COUNTER['sessions-restored']] += restored;
  return restored;
}

/**
 * The BIB entry for an entry of the snapshot: an existing one, or a new one. A new one is only made when its first session is
 * about to be restored, so that no entry is left without sessions.
 */
function restoreBib({ tables, settings }: Translator, snapshot: Snapshot, number: number): number {
  const { host, hostPort, mappedPort, kind } = readSnapshotBib(snapshot, number);
  const protocol = protocolOf(snapshot, number);
  const slot = slotOf(settings.poolAddresses, snapshot.addresses[kind >> BIB_KIND.SLOT_SHIFT] ?? 0);
  if (slot === -1) return NONE;
  const endpoint = { protocol, host, hostPort };
  const byHost = findBibByHost(tables, endpoint);
  const byPort = findBibByMappedPort(tables, slot, protocol, mappedPort);
  if (byHost !== 0 || byPort !== 0) return byHost === byPort ? byHost : NONE;
  if ((kind & BIB_KIND.STATIC) !== 0 || !mayKeepMapping(settings, host, 0, protocol, slot, mappedPort))
    return NONE;
  return addBib(tables, endpoint, (slot << 16) | mappedPort) || NONE;
}

/** TRANSPORT of an entry; -1 if there is no such entry. */
const protocolOf = (snapshot: Snapshot, number: number): number =>
  ((readSnapshotBib(snapshot, number).kind ?? 0) & BIB_KIND.TRANSPORT) - 1;

function isState(state: number, protocol: number): boolean {
  if (protocol === TRANSPORT.TCP) return state >= TCP_STATE.V4_INIT && state <= TCP_STATE.TRANS;
  return protocol >= 0 && state === 0;
}
