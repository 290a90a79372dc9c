/** The protocols that a client offers in its ClientHello (ALPN, RFC 7301), and the servers that are chosen by them. */
import type { OfferedProtocols } from '../../wire/client-hello.ts';

/** A server that gets the clients which offer a protocol. */
export interface ProtocolRule<Server> {
  readonly protocol: Uint8Array;
  readonly backend: Server;
}

/** The server of the first protocol, in the order of the client, that has a rule. Allocates nothing. */
export function findByProtocol<Server>(
  rules: readonly ProtocolRule<Server>[],
  { offers, offersFrom, offersTo }: OfferedProtocols,
): Server | undefined {
  if (offers === null) return undefined;
  for (let at = offersFrom; at < offersTo; at += 1 + offers[at])
    for (let i = 0; i < rules.length; i++)
      if (isProtocolAt(offers, at, rules[i].protocol)) return rules[i].backend;
  return undefined;
}

function isProtocolAt(offers: Uint8Array, at: number, protocol: Uint8Array): boolean {
  if (offers[at] !== protocol.length) return false;
  for (let i = 0; i < protocol.length; i++) if (offers[at + 1 + i] !== protocol[i]) return false;
  return true;
}

/**
 * The protocol that the client is going to speak, as far as that is known: if it offers exactly one. Which of several is chosen, only
 * the server knows, and its answer is encrypted. null if it is not known.
 */
export function protocolInUse({ offers, offersFrom, offersTo }: OfferedProtocols): Uint8Array | null {
  if (offers === null || offersFrom + 1 + offers[offersFrom] !== offersTo) return null;
  return offers.subarray(offersFrom + 1, offersTo);
}

/** What a client offers that offers these protocols; for explanations. */
export function offeredOf(protocols: readonly string[]): OfferedProtocols {
  const offers = Buffer.concat(protocols.map((protocol) => Buffer.from(`\0${protocol}`, 'latin1')));
  let at = 0;
  for (const protocol of protocols) {
    offers[at] = protocol.length;
    at += 1 + protocol.length;
  }
  return { offers: protocols.length === 0 ? null : offers, offersFrom: 0, offersTo: offers.length };
}
