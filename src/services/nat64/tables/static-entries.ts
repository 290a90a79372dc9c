/** Keeps the static BIB entries (inbound port forwarding by NAT64) in step with the configuration. */
import {
  addBib,
  bibProtocol,
  bibSlot,
  findBibByHost,
  findBibByMappedPort,
  isStaticBib,
  removeBib,
} from './bib.ts';
import { removeSessionsUnless } from './sessions.ts';
import type { StaticEntry } from '../settings/settings.ts';
import { BIB, CONTROL, RECORD_WORDS, type Tables } from './tables.ts';

/** Removes entries that are no longer configured or that conflict with a configured one, with their sessions; adds missing ones. */
export function applyStaticEntries(
  tables: Tables,
  entries: readonly StaticEntry[],
  nowSeconds: number,
): void {
  const { bib, control } = tables;
  const isWanted = (index: number) => entries.some((entry) => isEntry(tables, index, entry));
  const outdated = new Set<number>();
  for (let index = 1; index < control[CONTROL.BIB_USED]; index++) {
    const isUsed = bib[index * RECORD_WORDS + BIB.KIND] !== 0;
    if (isUsed && isStaticBib(tables, index) && !isWanted(index)) outdated.add(index);
  }
  for (const entry of entries) {
    const { protocol, slot, port } = entry;
    for (const index of [findBibByHost(tables, entry), findBibByMappedPort(tables, slot, protocol, port)])
      if (index !== 0 && !(isStaticBib(tables, index) && isEntry(tables, index, entry))) outdated.add(index);
  }
  removeSessionsUnless(tables, (bibAt) => !outdated.has(bibAt / RECORD_WORDS), nowSeconds);
  for (const index of outdated) {
    // Entries that are not static are already gone with their last session.
    if (bib[index * RECORD_WORDS + BIB.KIND] !== 0) removeBib(tables, index, nowSeconds);
  }
  for (const entry of entries) {
    const { protocol, slot, port } = entry;
    if (findBibByMappedPort(tables, slot, protocol, port) !== 0) continue;
    addBib(tables, entry, (slot << 16) | port, true);
  }
}

function isEntry(
  tables: Tables,
  index: number,
  { protocol, host, hostPort, slot, port }: StaticEntry,
): boolean {
  const { bib } = tables;
  const at = index * RECORD_WORDS;
  return (
    bibProtocol(tables, index) === protocol &&
    bibSlot(tables, index) === slot &&
    bib[at + BIB.PORTS] === ((hostPort << 16) | port) &&
    host.every((word, i) => bib[at + i] === word)
  );
}
