/** ICMP errors from the IPv6 side. */
import {
  type Bytes,
  PROTOCOL,
  checksum,
  concat,
  icmp,
  ipv4,
  onesSum,
  pseudoHeader,
  readU16,
  readU32,
  u16,
} from '../packets.ts';
import { ECHO_6TO4, KINDS, PROTOCOL4, header, hex, isOther, neverRouted, setChecksum } from './headers.ts';
import { isHairpin, isOurs, ownAddress4, refusedRemote, remote4, sessionKey } from './mappings.ts';
import type { Choices, Outcome, State } from './types.ts';

/** An error from the IPv6 side about a packet that went to a host there (RFC 7915 section 5.2, RFC 6146 section 3.6). */
export function error6(
  state: State,
  packet: Uint8Array,
  message: Uint8Array,
  choices: Choices,
  identification?: number,
): Outcome {
  const { config, byHost, sessions } = state;
  const { mtuBytes, isStateless, eam, icmpSources4 } = config;
  const [type, code] = message;
  const value = readU32(message, 4);
  const describe = (): [number, number] | undefined => {
    const unreachable: [number, number][] = [
      [0x301, 0],
      [0x30a, 0],
      [0x301, 0],
      [0x301, 0],
      [0x303, 0],
    ]; // prettier-ignore
    if (type === 1) return unreachable[code];
    // Byte 6 of the quoted packet is its next header: a fragment takes 8 bytes more.
    const grows = message[8 + 6] === 44 ? 28 : 20;
    if (type === 2) return [0x304, Math.max(68, Math.min(value - grows, mtuBytes, mtuBytes - grows))];
    if (type === 3) return [0xb00 | code, 0];
    if (type === 4 && code === 1) return [0x302, 0];
    if (type !== 4 || code !== 0) return undefined;
    const pointers = [0, 1, undefined, undefined, 2, 2, 9, 8];
    const pointer = value < 8 ? pointers[value] : value < 24 ? 12 : value < 40 ? 16 : undefined;
    return pointer === undefined ? undefined : [0xc00, pointer * 2 ** 24];
  };
  const description = describe();
  if (description === undefined) return { drop: 'drop-icmp-type' };
  const pseudo = pseudoHeader(packet.slice(8, 24), packet.slice(24, 40), PROTOCOL.ICMPV6, message.length);
  if (onesSum(pseudo, message) !== 0xffff) return { drop: 'drop-bad-checksum' };
  const attribute = type === 1 || type === 3 ? message[4] * 8 : 0;
  const quoted = message.slice(8, attribute === 0 ? undefined : 8 + attribute);
  const extensions = attribute === 0 ? new Uint8Array() : message.slice(8 + attribute);
  if (quoted.length < 48) return { drop: 'drop-icmp-quote' };
  const source = quoted.slice(8, 24);
  const host = quoted.slice(24, 40);
  const from = remote4(config, source);
  if (quoted[0] >> 4 !== 6 || from === undefined) return { drop: 'drop-icmp-quote' };
  let segment = quoted.slice(40);
  let nextHeader = quoted[6];
  const own = ownAddress4(config, host);
  let fragmentField = 0;
  let quotedIdentification: number | undefined;
  let isLater = false;
  if (nextHeader === 44) {
    const offset = readU16(segment, 2) & 0xfff8;
    isLater = offset > 0;
    fragmentField = offset / 8 + (segment[3] & 1) * 0x2000;
    nextHeader = segment[0];
    quotedIdentification = readU16(segment, 6);
    segment = segment.slice(8);
    if (!isLater && segment.length < 8) return { drop: 'drop-icmp-quote' };
    // A later fragment has no ports, so only a host with its own IPv4 address can be found.
    if (isLater && own === undefined) return { drop: 'drop-icmp-quote' };
  }
  const quotedKind = nextHeader === PROTOCOL.ICMP ? undefined : KINDS[nextHeader];
  const kind = isLater ? undefined : quotedKind;
  if (isLater && quotedKind === undefined && !isOther(nextHeader)) return { drop: 'drop-icmp-quote' };
  const hasStateless = isStateless || eam.length > 0;
  if (isLater) {
    // No other checks.
  } else if (
    kind === undefined
      ? !(hasStateless && isOther(nextHeader))
      : kind === 'icmp' && ECHO_6TO4[segment[0]] === undefined
  )
    return { drop: 'drop-icmp-quote' };
  if (packet[7] <= 1) return { drop: 'drop-hop-limit' };
  const to = remote4(config, packet.slice(24, 40));
  if (to === undefined) throw new Error('unreachable');
  const peer = to.address;
  // RFC 6052 section 3.1 is about hosts: the receiver of the error may have any address.
  if (neverRouted(peer)) return { drop: 'drop-non-global' };
  if (refusedRemote(config, to) === 'drop-no-route') return { drop: 'drop-no-route' };
  const isEcho = kind === 'icmp';
  const remote = from.address;
  const remotePort = isEcho || kind === undefined ? 0 : readU16(segment, 0);
  const hostPort = kind === undefined ? 0 : readU16(segment, isEcho ? 4 : 2);
  const comesBackIn = isHairpin(state, kind, from, remotePort, peer);
  if (isOurs(config, peer) && !comesBackIn) return { drop: 'drop-own-address' };
  if (own === undefined && isStateless) return { drop: 'drop-untranslatable' };
  if (own === undefined && from.hasEam) return { drop: 'drop-destination' };
  if (own === undefined && kind === undefined) return { drop: 'drop-icmp-quote' };
  const bib =
    own === undefined
      ? byHost.get(`${kind} ${hex(host)} ${hostPort}`)
      : { address: own, mappedPort: hostPort };
  if (bib === undefined || ('kind' in bib && !sessions.has(sessionKey(bib, remote, remotePort))))
    return { drop: 'drop-icmp-no-session' };
  const pool4 = bib.address;
  // RFC 6791: the source of the error, if it has an IPv4 address or is given one.
  const router = packet.slice(8, 24);
  const words = [0, 4, 8, 12].map((at) => readU32(router, at));
  const provided = icmpSources4[((words[0] ^ words[1] ^ words[2] ^ words[3]) >>> 0) % icmpSources4.length];
  const errorSource = hasStateless ? (ownAddress4(config, router) ?? provided ?? pool4) : pool4;

  const payloadBytes = Math.max(readU16(quoted, 4) - (quoted[6] === 44 ? 8 : 0), 0);
  const translated = segment.slice();
  if (kind !== undefined) translated.set(u16(bib.mappedPort), isEcho ? 4 : 2);
  if (isEcho) translated[0] = ECHO_6TO4[segment[0]];
  const pseudo6 = pseudoHeader(source, host, nextHeader, payloadBytes);
  const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(remote, pool4, nextHeader, payloadBytes);
  setChecksum(
    translated,
    kind,
    concat(pseudo6, header(segment, kind)),
    concat(pseudo4, header(translated, kind)),
  );
  const quotedBytes = Math.min(payloadBytes + 20, 0xffff);
  const inner = ipv4({
    source: remote,
    destination: pool4,
    protocol: quotedKind === undefined ? nextHeader : PROTOCOL4[quotedKind],
    payload: new Uint8Array(),
    hopLimit: quoted[7],
    trafficClass: config.tos ?? (readU16(quoted, 0) >> 4) & 255,
    identification: quotedIdentification ?? (quotedBytes > 1260 ? 0 : choices.quotedIdentification),
    fragment: quotedIdentification !== undefined ? fragmentField : quotedBytes > 1260 ? 0x4000 : 0,
  });
  // The quoted packet keeps its original length, although it is truncated here.
  inner.set(u16(quotedBytes), 2);
  inner.set([0, 0], 10);
  inner.set(u16(checksum(inner)), 10);
  const body = withExtensions(concat(inner, translated), extensions, mtuBytes - 28, 4);
  const totalBytes = 20 + 8 + body.data.length;
  return {
    isHairpin: comesBackIn,
    out: icmp({
      source: errorSource,
      destination: peer,
      type: description[0] >> 8,
      code: description[0] & 255,
      rest: description[1] + body.length * 65536,
      data: body.data,
      hopLimit: packet[7] - 1,
      trafficClass: config.tos ?? (readU16(packet, 0) >> 4) & 255,
      fragment: totalBytes <= 1260 || identification !== undefined ? 0 : 0x4000,
      identification: identification ?? (totalBytes <= 1260 ? choices.identification : 0),
    }),
  };
}

/** RFC 4884: the quoted packet, padded, and the extensions of an error, with the length attribute. At most `limitBytes`. */
export function withExtensions(quote: Bytes, extensions: Uint8Array, limitBytes: number, unitBytes: number) {
  if (extensions.length === 0) return { data: quote.slice(0, limitBytes), length: 0 };
  const room = Math.max(limitBytes - extensions.length, 128);
  let length = Math.ceil(Math.max(quote.length, 128) / unitBytes);
  while (length * unitBytes > room || length > 255) length--;
  const padded = new Uint8Array(length * unitBytes);
  padded.set(quote.slice(0, padded.length));
  return { data: concat(padded, extensions).slice(0, limitBytes), length };
}
