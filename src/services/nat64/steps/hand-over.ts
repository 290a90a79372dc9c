/**
 * The only place where the steps deal with the kernel's fast path (kernel/fast-path-flows.ts): flows are given to the kernel
 * here, and their state is read from it here.
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
 * Reports a packet of a session to the fast path, before it is translated; its tuples must be known. A flow is given to the
 * kernel with a packet from the IPv6 side, which shows both IPv6 addresses.
 */
export function handOver(translator: Translator, isIpv6: boolean): void {
  const { flows, packet, tables, settings } = translator;
  const { session } = packet;
  if (flows === undefined || session === 0 || packet.isError) return;
  if (packet.opensSession) {
    flows.begin(session);
    return;
  }
  // Otherwise the kernel would continue to answer from the old prefix.
  if (packet.movesPrefix) flows.forget(tables, session);
  const state = tables.sessions[session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE] & STATE_MASK;
  if (flows.isDue(tables, session, state) && isIpv6 && isPlain(translator))
    flows.enter(session, packet, settings);
}

/** Whether the kernel can translate the flow: it is between the prefix and an address that no host of ours has. */
function isPlain(translator: Translator): boolean {
  const { packet, settings } = translator;
  return (
    !packet.isFragment &&
    (packet.protocol === TRANSPORT.TCP || packet.protocol === TRANSPORT.UDP) &&
    !isHairpin(translator) &&
    // Earlier steps refuse these. This check keeps them out of the kernel even if those steps change.
    !isOurs4(settings, packet.remoteAddress) &&
    findEam4(settings.eam, packet.remoteAddress) === undefined
  );
}

/** A session ends: removes its flow from the kernel. */
export function takeBack({ flows, tables }: Translator, session: number): void {
  flows?.forget(tables, session);
}

/**
 * Extends the lifetime of a session that the kernel translates, counted from the last packet that the kernel saw; true if that
 * is later than the current end of the session.
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
