/**
 * What the steps and the kernel's part (kernel/fast-path-flows.ts) have to do with each other: the kernel is told of a flow, and is
 * asked about it, here and nowhere else.
 */
import { TRANSPORT } from '../packet/packet.ts';
import { findEam4 } from '../settings/eam.ts';
import { isOurs4 } from '../settings/settings.ts';
import { bibProtocol } from '../tables/bib.ts';
import { setExpiry } from '../tables/sessions.ts';
import { RECORD_WORDS, SESSION, STATE_MASK } from '../tables/tables.ts';
import { isHairpin } from './hairpin.ts';
import type { Translator } from './translator.ts';

/**
 * Tells of a packet of a session, whose tuples are known, before it is translated. A flow is given to the kernel with a packet from
 * the IPv6 side, which shows both of its addresses there.
 */
export function handOver(translator: Translator, isIpv6: boolean): void {
  const { flows, packet, tables, settings } = translator;
  const { session } = packet;
  if (flows === undefined || session === 0 || packet.isError) return;
  if (packet.opensSession) {
    flows.begin(session);
    return;
  }
  // The kernel would go on answering from the old one.
  if (packet.movesPrefix) flows.forget(tables, session);
  const state = tables.sessions[session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE] & STATE_MASK;
  if (flows.isDue(tables, session, state) && isIpv6 && isPlain(translator))
    flows.enter(session, packet, settings);
}

/** Whether the kernel's part can do it: between the prefix and an address that no host of ours has. */
function isPlain(translator: Translator): boolean {
  const { packet, settings } = translator;
  return (
    !packet.isFragment &&
    (packet.protocol === TRANSPORT.TCP || packet.protocol === TRANSPORT.UDP) &&
    !isHairpin(translator) &&
    // These were refused before. Whatever becomes of that: the kernel shall not have them.
    !isOurs4(settings, packet.remoteAddress) &&
    findEam4(settings.eam, packet.remoteAddress) === undefined
  );
}

/** A session ends: the kernel has its flow no more. */
export function takeBack({ flows, tables }: Translator, session: number): void {
  flows?.forget(tables, session);
}

/**
 * Gives a session that the kernel translates the lifetime that its last packet there gave it; true when that is longer
 * than it had.
 */
export function prolongFromKernel(
  { flows, tables, settings, nowSeconds }: Translator,
  session: number,
): boolean {
  if (flows === undefined || !flows.has(session)) return false;
  const lastUsedSeconds = flows.lastUsedSeconds(tables, session, nowSeconds);
  if (lastUsedSeconds < 0) return false;
  const at = session * RECORD_WORDS;
  const { lifetimes } = settings;
  const isTcp = bibProtocol(tables, tables.sessions[at + SESSION.BIB]) === TRANSPORT.TCP;
  const expiresAt = lastUsedSeconds + (isTcp ? lifetimes.tcpEstablishedSeconds : lifetimes.udpSeconds);
  if (expiresAt <= tables.sessions[at + SESSION.EXPIRES_AT] || expiresAt < nowSeconds) return false;
  setExpiry(tables, session, nowSeconds, expiresAt);
  return true;
}
