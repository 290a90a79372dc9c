/**
 * A NAT64 written for clarity: what the optimised translator is compared with, byte for byte. Sessions are objects in a
 * map, packets are made anew from their fields, and every rule stands where the RFC has it. It chooses no ports and no
 * identifications: it takes those that the optimised translator chose, and checks that it might.
 */
import {
  type Bytes,
  PROTOCOL,
  checksum,
  concat,
  icmp,
  ipv4,
  ipv6,
  onesSum,
  pseudoHeader,
  readU16,
  readU32,
  u16,
} from './packets.ts';

export interface ReferenceConfig {
  /** 96 bits: the first 12 bytes of every address that stands for an IPv4 address. */
  readonly prefix: Uint8Array;
  readonly pool4: Uint8Array;
  readonly firstPort: number;
  readonly lastPort: number;
  /** First bytes of the sources to translate. */
  readonly allow: Uint8Array;
  readonly ownIpv6: Uint8Array;
  readonly mtuBytes: number;
  readonly lowestIpv6MtuBytes: number;
  readonly maxSegmentBytes: number;
}

interface Bib {
  readonly kind: string;
  readonly host: Uint8Array;
  readonly hostPort: number;
  readonly mappedPort: number;
}

/** A fragment, before it is put together with the others. */
interface Fragment {
  readonly key: string;
  readonly offset: number;
  readonly hasMore: boolean;
  readonly data: Bytes;
  readonly identification: number;
  /** The datagram with this data instead of the fragment's own. */
  readonly rebuild: (data: Bytes) => Bytes;
}

interface Datagram {
  readonly fragments: Fragment[];
  isSpoilt: boolean;
}

/** How a packet came: whole, or put together from fragments that ended at `cuts`. */
interface Came {
  readonly cuts: readonly number[];
  readonly identification?: number;
}
const WHOLE: Came = { cuts: [] };

/** A step's result: the packet to send, if any, why the packet that came was dropped, if it was. */
interface Outcome {
  readonly drop?: string;
  readonly out?: Bytes;
  /** How `out` has to be cut, if it has. */
  readonly cut?: { readonly limitBytes: number; readonly came: Came };
  readonly fragment?: Fragment;
  /** Goes back to the kernel as it is. */
  readonly isReturned?: boolean;
  /** RFC 6146 section 3.8: to be translated again. */
  readonly isHairpin?: boolean;
}

/** What comes of a packet in the end. */
export interface Result {
  /** One counter for each pass. */
  readonly drops: readonly string[];
  readonly outs: readonly Bytes[];
}

/** What the optimised translator chose. */
export interface Choices {
  /** The mapped port that it gave to a host's port. */
  readonly portOf: (kind: string, host: Uint8Array, hostPort: number) => number;
  /** Of the packet that it sent. */
  readonly identification: number;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const startsWith = (bytes: Uint8Array, start: Uint8Array) => hex(bytes).startsWith(hex(start));
const KINDS: Readonly<Record<number, string>> = {
  [PROTOCOL.TCP]: 'tcp',
  [PROTOCOL.UDP]: 'udp',
  [PROTOCOL.ICMP]: 'icmp',
  [PROTOCOL.ICMPV6]: 'icmp',
};
const PROTOCOL4: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1 };
const PROTOCOL6: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 58 };
const ECHO_6TO4: Readonly<Record<number, number>> = { 128: 8, 129: 0 };
const ECHO_4TO6: Readonly<Record<number, number>> = { 8: 128, 0: 129 };

/** A checksum after `before` became `after` in the data that it covers (RFC 1624). */
function adjusted(old: number, before: Uint8Array, after: Uint8Array): number {
  const inverted = Uint8Array.from(before, (byte) => 255 - byte);
  return 0xffff - onesSum(Uint8Array.from(u16(0xffff - old)), inverted, after);
}

function neverRouted(address: Uint8Array): boolean {
  return (
    address[0] === 0 || address[0] === 127 || address[0] >= 224 || (address[0] === 169 && address[1] === 254)
  );
}

function isPrivate([a, b]: Uint8Array): boolean {
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128)
  );
}

export class ReferenceNat64 {
  readonly #config: ReferenceConfig;
  readonly #isWellKnown: boolean;
  readonly #byHost = new Map<string, Bib>();
  readonly #byPort = new Map<string, Bib>();
  readonly #sessions = new Set<string>();
  readonly #datagrams = new Map<string, Datagram>();

  constructor(config: ReferenceConfig) {
    this.#config = config;
    this.#isWellKnown = hex(config.prefix) === '0064ff9b0000000000000000';
  }

  translate(packet: Uint8Array, choices: Choices): Result {
    const version = packet.length > 0 ? packet[0] >> 4 : 0;
    if (version !== 4 && version !== 6) return { drops: ['drop-not-ip'], outs: [] };
    const pass = (bytes: Uint8Array, came: Came) =>
      bytes[0] >> 4 === 6 ? this.#from6(bytes, choices, came) : this.#from4(bytes, choices, came);
    let outcome = pass(packet, WHOLE);
    let came = WHOLE;
    if (outcome.fragment !== undefined) {
      const whole = this.#reassemble(outcome.fragment);
      if ('packet' in whole) {
        came = whole.came;
        outcome = pass(whole.packet, came);
      } else {
        outcome = whole;
      }
    }
    const drops = outcome.drop === undefined ? [] : [outcome.drop];
    if (outcome.isHairpin === true && outcome.out !== undefined) {
      outcome = pass(outcome.out, came);
      if (outcome.drop !== undefined) {
        drops.push(outcome.drop);
        if (outcome.out === undefined) return { drops, outs: [] };
        outcome = pass(outcome.out, WHOLE);
        if (outcome.drop !== undefined) drops.push(outcome.drop);
      }
    }
    const { out, cut } = outcome;
    if (out === undefined) return { drops, outs: [] };
    return { drops, outs: cut === undefined ? [out] : cutUp(out, cut.limitBytes, cut.came) };
  }

  #reassemble(fragment: Fragment): Outcome | { readonly packet: Bytes; readonly came: Came } {
    const { offset, data, hasMore, key } = fragment;
    const end = offset + data.length;
    if (data.length === 0 || end > 65_515 || (hasMore && data.length % 8 !== 0))
      return { drop: 'drop-fragment-bad' };
    const datagram = this.#datagrams.get(key) ?? { fragments: [], isSpoilt: false };
    this.#datagrams.set(key, datagram);
    const { fragments } = datagram;
    const endOf = (each: Fragment) => each.offset + each.data.length;
    if (datagram.isSpoilt) return { drop: 'drop-fragment-overlap' };
    if (fragments.some((each) => each.offset === offset && endOf(each) === end))
      return { drop: 'drop-fragment-duplicate' };
    const last = fragments.find((each) => !each.hasMore);
    const overlaps = fragments.some((each) => each.offset < end && offset < endOf(each));
    const contradicts =
      (last !== undefined && (end > endOf(last) || !hasMore)) ||
      (!hasMore && fragments.some((each) => endOf(each) > end));
    if (overlaps || contradicts) {
      datagram.isSpoilt = true;
      return { drop: 'drop-fragment-overlap' };
    }
    fragments.push(fragment);
    fragments.sort((a, b) => a.offset - b.offset);
    const all = concat(...fragments.map((each) => each.data));
    const end2 = fragments.find((each) => !each.hasMore);
    if (end2 === undefined || all.length !== endOf(end2)) return {};
    this.#datagrams.delete(key);
    const { identification, rebuild } = fragments[0];
    return { packet: rebuild(all), came: { cuts: fragments.map(endOf), identification } };
  }

  #embed(ipv4Address: Uint8Array): Bytes {
    return concat(this.#config.prefix, ipv4Address);
  }

  #sessionKey(bib: Bib, remote: Uint8Array, remotePort: number): string {
    return `${bib.kind} ${bib.mappedPort} ${hex(remote)} ${remotePort}`;
  }

  #from6(whole: Uint8Array, choices: Choices, came: Came): Outcome {
    const { prefix, pool4, allow, mtuBytes } = this.#config;
    if (whole.length < 40) return { drop: 'drop-truncated' };
    const payloadBytes = readU16(whole, 4);
    if (whole.length < 40 + payloadBytes) return { drop: 'drop-bad-length' };
    const packet = whole.slice(0, 40 + payloadBytes);
    const source = packet.slice(8, 24);
    const destination = packet.slice(24, 40);
    if (!startsWith(destination, prefix)) return { drop: 'drop-destination' };
    if (startsWith(source, prefix)) return { drop: 'drop-source-in-prefix' };
    const hopLimit = packet[7];
    const trafficClass = (readU16(packet, 0) >> 4) & 255;

    let nextHeader = packet[6];
    let segment = packet.slice(40);
    while (nextHeader === 0 || nextHeader === 43 || nextHeader === 60) {
      if (segment.length < 8) return { drop: 'drop-truncated' };
      if (nextHeader === 43 && segment[3] > 0) {
        const pointer = packet.length - segment.length + 3;
        return this.#answer6('drop-source-route', packet, 0x400, pointer);
      }
      const headerBytes = 8 * (segment[1] + 1);
      if (headerBytes > segment.length) return { drop: 'drop-bad-length' };
      nextHeader = segment[0];
      segment = segment.slice(headerBytes);
    }
    let { identification } = came;
    if (nextHeader === 44) {
      if (segment.length < 8) return { drop: 'drop-truncated' };
      const fragmentField = readU16(segment, 2);
      const header = segment.slice(0, 8);
      identification = readU16(segment, 6);
      nextHeader = header[0];
      segment = segment.slice(8);
      if ((fragmentField & 0xfff9) !== 0) {
        if (!isUnicastHost(source)) return { drop: 'drop-source-invalid' };
        if (!startsWith(source, allow)) return this.#answer6('drop-not-allowed', packet, 0x101, 0);
        if (segment.length + 20 > mtuBytes)
          return this.#answer6('drop-too-big', packet, 0x200, mtuBytes + 20);
        const fragment = {
          key: `6 ${hex(source)} ${hex(destination)} ${hex(header.slice(4))}`,
          offset: fragmentField & 0xfff8,
          hasMore: (fragmentField & 1) !== 0,
          data: segment,
          identification,
          rebuild: (data: Bytes) => {
            const fixed = concat(packet.slice(0, 40), data);
            fixed.set(u16(data.length), 4);
            fixed[6] = header[0];
            return fixed;
          },
        };
        return { fragment };
      }
    }
    const problem = transportProblem(nextHeader, segment, PROTOCOL.ICMPV6);
    if (problem === 'drop-protocol') return this.#answer6(problem, packet, 0x104, 0);
    if (problem !== undefined) return { drop: problem };
    if (nextHeader === PROTOCOL.ICMPV6) {
      if (segment[0] < 128) return this.#error6(packet, segment, choices);
      if (ECHO_6TO4[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
    }
    const isEcho = nextHeader === PROTOCOL.ICMPV6;
    const answer = (drop: string, typeAndCode: number, value = 0) =>
      this.#answer6(drop, packet, typeAndCode, value);

    if (nextHeader === PROTOCOL.UDP && readU16(segment, 6) === 0) return { drop: 'drop-udp-no-checksum' };
    if (!isUnicastHost(source)) return { drop: 'drop-source-invalid' };
    if (!startsWith(source, allow)) return answer('drop-not-allowed', 0x101);
    const remote = destination.slice(12);
    if (neverRouted(remote) || (this.#isWellKnown && isPrivate(remote)))
      return answer('drop-non-global', 0x101);
    if (hopLimit <= 1) return answer('drop-hop-limit', 0x300);
    if (came === WHOLE && packet.length - 20 > mtuBytes) return answer('drop-too-big', 0x200, mtuBytes + 20);
    const kind = KINDS[nextHeader];
    const hostPort = readU16(segment, isEcho ? 4 : 0);
    const remotePort = isEcho ? 0 : readU16(segment, 2);

    let bib = this.#byHost.get(`${kind} ${hex(source)} ${hostPort}`);
    const hasSession = bib !== undefined && this.#sessions.has(this.#sessionKey(bib, remote, remotePort));
    const opens = kind !== 'tcp' || (segment[13] & 6) === 2;
    if (!hasSession && !opens && bib === undefined) return { drop: 'drop-tcp-not-syn' };
    if (!hasSession && opens) {
      if (bib === undefined && this.#freePorts(kind).length === 0)
        return answer('drop-pool4-exhausted', 0x103);
      bib ??= this.#newBib(kind, source, hostPort, choices.portOf(kind, source, hostPort));
      this.#sessions.add(this.#sessionKey(bib, remote, remotePort));
    }
    if (bib === undefined) throw new Error('unreachable');

    const portAt = isEcho ? 4 : 0;
    const translated = segment.slice();
    translated.set(u16(bib.mappedPort), portAt);
    if (isEcho) translated[0] = ECHO_6TO4[segment[0]];
    const pseudo6 = pseudoHeader(source, destination, nextHeader, segment.length);
    const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(pool4, remote, nextHeader, segment.length);
    setChecksum(
      translated,
      kind,
      concat(pseudo6, header(segment, kind)),
      concat(pseudo4, header(translated, kind)),
    );
    if (kind === 'tcp') clamp(translated, this.#config.maxSegmentBytes);
    const totalBytes = 20 + segment.length;
    const isFragmentable = identification !== undefined || totalBytes <= 1260;
    return {
      isHairpin: hex(remote) === hex(pool4) && this.#inPool(remotePort),
      ...(came !== WHOLE && { cut: { limitBytes: mtuBytes, came } }),
      out: ipv4({
        source: pool4,
        destination: remote,
        protocol: PROTOCOL4[kind],
        payload: translated,
        hopLimit: hopLimit - 1,
        trafficClass,
        // N28
        fragment: isFragmentable ? 0 : 0x4000,
        // N30
        identification: identification ?? (isFragmentable ? choices.identification : 0),
      }),
    };
  }

  #inPool(port: number): boolean {
    return port >= this.#config.firstPort && port <= this.#config.lastPort;
  }

  #freePorts(kind: string): number[] {
    const { firstPort, lastPort } = this.#config;
    const ports = Array.from({ length: lastPort - firstPort + 1 }, (_, i) => firstPort + i);
    return ports.filter((port) => !this.#byPort.has(`${kind} ${port}`));
  }

  #newBib(kind: string, host: Uint8Array, hostPort: number, mappedPort: number): Bib {
    const key = `${kind} ${mappedPort}`;
    if (!this.#inPool(mappedPort)) throw new Error(`port ${mappedPort} is outside the pool`);
    if (this.#byPort.has(key)) throw new Error(`port ${mappedPort} is in use`);
    const free = this.#freePorts(kind);
    if (
      kind === 'udp' &&
      (mappedPort & 1) !== (hostPort & 1) &&
      free.some((port) => (port & 1) === (hostPort & 1))
    )
      throw new Error(`port ${mappedPort} for ${hostPort}, though a port of the same parity was free`);
    const bib = { kind, host, hostPort, mappedPort };
    this.#byPort.set(key, bib);
    this.#byHost.set(`${kind} ${hex(host)} ${hostPort}`, bib);
    return bib;
  }

  #from4(whole: Uint8Array, choices: Choices, came: Came): Outcome {
    const { pool4, mtuBytes } = this.#config;
    const headerBytes = (whole[0] & 15) * 4;
    if (whole.length < 20 || headerBytes < 20 || whole.length < headerBytes)
      return { drop: 'drop-truncated' };
    const totalBytes = readU16(whole, 2);
    if (totalBytes < headerBytes || totalBytes > whole.length) return { drop: 'drop-bad-length' };
    const packet = whole.slice(0, totalBytes);
    if (onesSum(packet.slice(0, headerBytes)) !== 0xffff) return { drop: 'drop-bad-checksum' };
    const source = packet.slice(12, 16);
    if (hex(packet.slice(16, 20)) !== hex(pool4)) return { drop: 'drop-destination' };
    if (neverRouted(source)) return { drop: 'drop-source-invalid' };
    const route = sourceRoute(packet.slice(20, headerBytes));
    if (route === 'malformed') return { drop: 'drop-bad-length' };
    if (route === 'unexpired') return this.#answer4('drop-source-route', packet, 0x305, 0);
    const protocol = packet[9];
    const segment = packet.slice(headerBytes);
    const fragmentField = readU16(packet, 6);
    const mayFragment = (fragmentField & 0x4000) === 0;
    if ((fragmentField & 0x3fff) !== 0) {
      if (!mayFragment && segment.length + 48 > mtuBytes)
        return this.#answer4('drop-too-big', packet, 0x304, mtuBytes - 48 + headerBytes);
      const fragment = {
        key: `4 ${hex(source)} ${protocol} ${hex(packet.slice(4, 6))}`,
        offset: (fragmentField & 0x1fff) * 8,
        hasMore: (fragmentField & 0x2000) !== 0,
        data: segment,
        identification: readU16(packet, 4),
        rebuild: (data: Bytes) => {
          const fixed = concat(packet.slice(0, headerBytes), data);
          fixed.set(u16(Math.min(fixed.length, 65_535)), 2);
          fixed.set(u16(fragmentField & 0x4000), 6);
          fixed.set([0, 0], 10);
          fixed.set(u16(checksum(fixed.slice(0, headerBytes))), 10);
          return fixed;
        },
      };
      return { fragment };
    }
    const problem = transportProblem(protocol, segment, PROTOCOL.ICMP);
    if (problem === 'drop-protocol') return this.#answer4(problem, packet, 0x302, 0);
    if (problem !== undefined) return { drop: problem };
    const isEcho = protocol === PROTOCOL.ICMP;
    if (isEcho) {
      if ([3, 4, 5, 11, 12].includes(segment[0])) return this.#error4(packet, segment);
      if (ECHO_4TO6[segment[0]] === undefined) return { drop: 'drop-icmp-type' };
    }
    if (this.#isWellKnown && isPrivate(source)) return { drop: 'drop-non-global' };
    if (packet[8] <= 1) return this.#answer4('drop-hop-limit', packet, 0xb00, 0);
    const { lowestIpv6MtuBytes } = this.#config;
    const newBytes = segment.length + 40;
    if (came === WHOLE && newBytes > mtuBytes && !mayFragment) {
      return this.#answer4('drop-too-big', packet, 0x304, mtuBytes - 40 + headerBytes);
    }
    const kind = KINDS[protocol];
    const mappedPort = readU16(segment, isEcho ? 4 : 2);
    const remotePort = isEcho ? 0 : readU16(segment, 0);
    const bib = this.#byPort.get(`${kind} ${mappedPort}`);
    // N11: stored, if there is room.
    const isNewSyn = kind === 'tcp' && (segment[13] & 6) === 2;
    if (bib === undefined)
      return isEcho || (came !== WHOLE && !this.#inPool(mappedPort))
        ? { out: whole.slice(0, totalBytes), isReturned: true }
        : isNewSyn
          ? {}
          : { drop: 'drop-no-bib-entry' };
    const opens = kind !== 'tcp' || (segment[13] & 6) === 2;
    if (opens) this.#sessions.add(this.#sessionKey(bib, source, remotePort));

    const source6 = this.#embed(source);
    const translated = segment.slice();
    translated.set(u16(bib.hostPort), isEcho ? 4 : 2);
    if (isEcho) translated[0] = ECHO_4TO6[segment[0]];
    const nextHeader = PROTOCOL6[kind];
    if (kind === 'udp' && readU16(segment, 6) === 0) {
      const covered = translated.slice(0, readU16(segment, 4));
      const sum = checksum(pseudoHeader(source6, bib.host, nextHeader, covered.length), covered);
      translated.set(u16(sum === 0 ? 0xffff : sum), 6);
    } else {
      const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(source, pool4, protocol, segment.length);
      const pseudo6 = pseudoHeader(source6, bib.host, nextHeader, segment.length);
      setChecksum(
        translated,
        kind,
        concat(pseudo4, header(segment, kind)),
        concat(pseudo6, header(translated, kind)),
      );
    }
    void choices;
    if (kind === 'tcp') clamp(translated, this.#config.maxSegmentBytes);
    const mustCut = came !== WHOLE || newBytes > lowestIpv6MtuBytes;
    const limitBytes = mayFragment ? lowestIpv6MtuBytes : came === WHOLE ? 0 : mtuBytes;
    const cutCame = came === WHOLE ? { cuts: [], identification: readU16(packet, 4) } : came;
    return {
      ...(mustCut && limitBytes > 0 && { cut: { limitBytes, came: cutCame } }),
      out: ipv6({
        source: source6,
        destination: bib.host,
        protocol: nextHeader,
        payload: translated,
        hopLimit: packet[8] - 1,
        trafficClass: packet[1],
      }),
    };
  }

  #error6(packet: Uint8Array, message: Uint8Array, choices: Choices): Outcome {
    const { prefix, pool4, mtuBytes } = this.#config;
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
      if (type === 2) return [0x304, Math.max(68, Math.min(value - 20, mtuBytes, mtuBytes - 20))];
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
    if (quoted[0] >> 4 !== 6 || !startsWith(source, prefix)) return { drop: 'drop-icmp-quote' };
    let segment = quoted.slice(40);
    let nextHeader = quoted[6];
    let more = 0;
    let quotedIdentification = 0;
    if (nextHeader === 44) {
      if ((readU16(segment, 2) & 0xfff8) !== 0 || segment.length < 16) return { drop: 'drop-icmp-quote' };
      nextHeader = segment[0];
      more = (segment[3] & 1) * 0x2000;
      if (more !== 0) quotedIdentification = readU16(segment, 6);
      segment = segment.slice(8);
    }
    const kind = nextHeader === PROTOCOL.ICMP ? undefined : KINDS[nextHeader];
    if (kind === undefined || (kind === 'icmp' && ECHO_6TO4[segment[0]] === undefined))
      return { drop: 'drop-icmp-quote' };
    if (packet[7] <= 1) return { drop: 'drop-hop-limit' };
    const peer = packet.slice(36, 40);
    if (neverRouted(peer)) return { drop: 'drop-non-global' };
    const isEcho = kind === 'icmp';
    const remote = source.slice(12);
    const remotePort = isEcho ? 0 : readU16(segment, 0);
    const isHairpin = hex(remote) === hex(pool4) && this.#inPool(remotePort) && hex(peer) === hex(pool4);
    const bib = this.#byHost.get(`${kind} ${hex(host)} ${readU16(segment, isEcho ? 4 : 2)}`);
    if (bib === undefined || !this.#sessions.has(this.#sessionKey(bib, remote, remotePort)))
      return { drop: 'drop-icmp-no-session' };

    const payloadBytes = Math.max(readU16(quoted, 4) - (quoted[6] === 44 ? 8 : 0), 0);
    const translated = segment.slice();
    translated.set(u16(bib.mappedPort), isEcho ? 4 : 2);
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
      protocol: PROTOCOL4[kind],
      payload: new Uint8Array(),
      hopLimit: quoted[7],
      trafficClass: (readU16(quoted, 0) >> 4) & 255,
      identification: quotedIdentification,
      fragment: more !== 0 ? more : quotedBytes > 1260 ? 0x4000 : 0,
    });
    // The quoted packet keeps the length it had, though not all of it is here.
    inner.set(u16(quotedBytes), 2);
    inner.set([0, 0], 10);
    inner.set(u16(checksum(inner)), 10);
    const body = withExtensions(concat(inner, translated), extensions, mtuBytes - 28, 4);
    const totalBytes = 20 + 8 + body.data.length;
    return {
      isHairpin,
      out: icmp({
        source: pool4,
        destination: peer,
        type: description[0] >> 8,
        code: description[0] & 255,
        rest: description[1] + body.length * 65536,
        data: body.data,
        hopLimit: packet[7] - 1,
        trafficClass: (readU16(packet, 0) >> 4) & 255,
        fragment: totalBytes <= 1260 ? 0 : 0x4000,
        identification: totalBytes <= 1260 ? choices.identification : 0,
      }),
    };
  }

  #error4(packet: Uint8Array, message: Uint8Array): Outcome {
    const { pool4, mtuBytes, ownIpv6 } = this.#config;
    if (onesSum(message) !== 0xffff) return { drop: 'drop-bad-checksum' };
    const [type, code] = message;
    const attribute = message[5] * 4;
    const quoted = message.slice(8, attribute === 0 ? undefined : 8 + attribute);
    const extensions = attribute === 0 ? new Uint8Array() : message.slice(8 + attribute);
    const headerBytes = (quoted[0] & 15) * 4;
    if (quoted.length < 20 || quoted[0] >> 4 !== 4 || headerBytes < 20) return { drop: 'drop-icmp-quote' };
    if (quoted.length < headerBytes + 8) return { drop: 'drop-icmp-quote' };
    const describe = (): [number, number] | undefined => {
      if (type === 11) return [0x300 | code, 0];
      if (type === 12 && (code === 0 || code === 2)) {
        const pointer = new Map([
          [0, 0],
          [1, 1],
          [2, 4],
          [3, 4],
          [8, 7],
          [9, 6],
          [12, 8],
          [13, 8],
          [14, 8],
          [15, 8],
          [16, 24],
          [17, 24],
          [18, 24],
          [19, 24],
        ]).get(message[4]); // prettier-ignore
        return pointer === undefined ? undefined : [0x400, pointer];
      }
      if (type !== 3) return undefined;
      if (code === 2) return [0x401, 6];
      if (code === 3) return [0x104, 0];
      if (code === 4) {
        const plateaus = [65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];
        const told = readU16(message, 6);
        const mtu = told === 0 ? (plateaus.find((plateau) => plateau < readU16(quoted, 2)) ?? 68) : told;
        return [0x200, Math.max(1280, Math.min(mtu + 20, mtuBytes, mtuBytes + 20))];
      }
      if ([9, 10, 13, 15].includes(code)) return [0x101, 0];
      return [0, 1, 5, 6, 7, 8, 11, 12].includes(code) ? [0x100, 0] : undefined;
    };
    const description = describe();
    if (description === undefined) return { drop: 'drop-icmp-type' };
    if (headerBytes !== 20 || (readU16(quoted, 6) & 0x1fff) !== 0) return { drop: 'drop-icmp-quote' };
    const isFirst = (readU16(quoted, 6) & 0x2000) !== 0;
    if (hex(quoted.slice(12, 16)) !== hex(pool4)) return { drop: 'drop-icmp-quote' };
    const kind = quoted[9] === PROTOCOL.ICMPV6 ? undefined : KINDS[quoted[9]];
    const segment = quoted.slice(20);
    if (kind === undefined || (kind === 'icmp' && ECHO_4TO6[segment[0]] === undefined))
      return { drop: 'drop-icmp-quote' };
    if (packet[8] <= 1) return { drop: 'drop-hop-limit' };
    const isEcho = kind === 'icmp';
    const remote = quoted.slice(16, 20);
    const remotePort = isEcho ? 0 : readU16(segment, 2);
    const bib = this.#byPort.get(`${kind} ${readU16(segment, isEcho ? 4 : 0)}`);
    if (bib === undefined)
      return isEcho ? { out: concat(packet), isReturned: true } : { drop: 'drop-no-bib-entry' };
    if (!this.#sessions.has(this.#sessionKey(bib, remote, remotePort)))
      return { drop: 'drop-icmp-no-session' };

    const payloadBytes = Math.max(readU16(quoted, 2) - 20, 0);
    const translated = segment.slice();
    translated.set(u16(bib.hostPort), isEcho ? 4 : 0);
    if (isEcho) translated[0] = ECHO_4TO6[segment[0]];
    const pseudo4 = isEcho ? new Uint8Array() : pseudoHeader(pool4, remote, quoted[9], payloadBytes);
    const pseudo6 = pseudoHeader(bib.host, this.#embed(remote), PROTOCOL6[kind], payloadBytes);
    setChecksum(
      translated,
      kind,
      concat(pseudo4, header(segment, kind)),
      concat(pseudo6, header(translated, kind)),
    );
    const inner = ipv6({
      source: bib.host,
      destination: this.#embed(remote),
      protocol: isFirst ? 44 : PROTOCOL6[kind],
      payload: isFirst
        ? Uint8Array.from([PROTOCOL6[kind], 0, 0, 1, 0, 0, quoted[4], quoted[5]])
        : new Uint8Array(),
      hopLimit: quoted[8],
      trafficClass: quoted[1],
    });
    inner.set(u16(Math.min(payloadBytes + (isFirst ? 8 : 0), 0xffff)), 4);
    // There is no length attribute in Packet Too Big and Parameter Problem.
    const carries = [1, 3].includes(description[0] >> 8);
    const body = withExtensions(
      concat(inner, translated),
      carries ? extensions : new Uint8Array(),
      1280 - 48,
      8,
    );
    const peer = packet.slice(12, 16);
    return {
      out: icmp({
        source: this.#isWellKnown && isPrivate(peer) ? ownIpv6 : this.#embed(peer),
        destination: bib.host,
        type: description[0] >> 8,
        code: description[0] & 255,
        rest: description[1] + body.length * 2 ** 24,
        data: body.data,
        hopLimit: packet[8] - 1,
        trafficClass: packet[1],
      }),
    };
  }

  /** RFC 4443 section 2.4: no errors about errors, nor to what is no single host. */
  #answer6(drop: string, packet: Uint8Array, typeAndCode: number, value: number): Outcome {
    const source = packet.slice(8, 24);
    if (source[0] === 0xff || readU32(source, 0) === 0) return { drop };
    return {
      drop,
      out: icmp({
        source: this.#config.ownIpv6,
        destination: source,
        type: typeAndCode >> 8,
        code: typeAndCode & 255,
        rest: value,
        data: packet.slice(0, 1280 - 48),
      }),
    };
  }

  #answer4(drop: string, packet: Uint8Array, typeAndCode: number, value: number): Outcome {
    const headerBytes = (packet[0] & 15) * 4;
    if ((readU16(packet, 6) & 0x1fff) !== 0) return { drop };
    if (packet[9] === PROTOCOL.ICMP && [undefined, 3, 4, 5, 11, 12].includes(packet[headerBytes]))
      return { drop };
    return {
      drop,
      out: icmp({
        source: this.#config.pool4,
        destination: packet.slice(12, 16),
        type: typeAndCode >> 8,
        code: typeAndCode & 255,
        rest: value,
        data: packet.slice(0, 576 - 28),
        trafficClass: 0xc0,
        fragment: 0x4000,
      }),
    };
  }
}

/** RFC 4884: what an error quotes, padded, and its extensions; its length attribute. At most `limitBytes`. */
function withExtensions(quote: Bytes, extensions: Uint8Array, limitBytes: number, unitBytes: number) {
  if (extensions.length === 0) return { data: quote.slice(0, limitBytes), length: 0 };
  const room = Math.max(limitBytes - extensions.length, 128);
  let length = Math.ceil(Math.max(quote.length, 128) / unitBytes);
  while (length * unitBytes > room || length > 255) length--;
  const padded = new Uint8Array(length * unitBytes);
  padded.set(quote.slice(0, padded.length));
  return { data: concat(padded, extensions).slice(0, limitBytes), length };
}

/** Cuts a packet where it was cut before, and where the pieces are still too long. */
function cutUp(packet: Uint8Array, limitBytes: number, { cuts, identification = 0 }: Came): Bytes[] {
  const isIpv6 = packet[0] >> 4 === 6;
  const headerBytes = isIpv6 ? 40 : 20;
  const data = packet.slice(headerBytes);
  const step = Math.floor((limitBytes - headerBytes - (isIpv6 ? 8 : 0)) / 8) * 8;
  const pieces: Bytes[] = [];
  let offset = 0;
  for (const end of cuts.length === 0 ? [data.length] : cuts) {
    for (; offset < end; offset = Math.min(offset + step, end)) {
      const to = Math.min(offset + step, end);
      const more = to < data.length ? 1 : 0;
      const piece = data.slice(offset, to);
      const id = u16(identification);
      const payload = isIpv6
        ? concat(Uint8Array.from([packet[6], 0, ...u16(offset + more), 0, 0, ...id]), piece)
        : piece;
      const fields = { hopLimit: packet[isIpv6 ? 7 : 8], payload };
      pieces.push(
        isIpv6
          ? ipv6({
              ...fields,
              source: packet.slice(8, 24),
              destination: packet.slice(24, 40),
              protocol: 44,
              trafficClass: (readU16(packet, 0) >> 4) & 255,
            })
          : ipv4({
              ...fields,
              source: packet.slice(12, 16),
              destination: packet.slice(16, 20),
              protocol: packet[9],
              trafficClass: packet[1],
              identification,
              fragment: offset / 8 + more * 0x2000,
            }),
      );
    }
  }
  return pieces;
}

/** Lowers the segment size in a SYN, and corrects the checksum by the change of the words that it lies in. */
function clamp(segment: Bytes, maxSegmentBytes: number): void {
  if ((segment[13] & 2) === 0) return;
  const headerBytes = (segment[12] >> 4) * 4;
  let at = 20;
  while (at < headerBytes && segment[at] !== 0) {
    const length = segment[at] === 1 ? 1 : (segment[at + 1] ?? 0);
    if (segment[at] !== 1 && (at + 1 >= headerBytes || length < 2 || at + length > headerBytes)) return;
    if (segment[at] === 2 && length === 4) {
      if (readU16(segment, at + 2) <= maxSegmentBytes) return;
      const before = segment.slice(20, headerBytes);
      segment.set(u16(maxSegmentBytes), at + 2);
      segment.set(u16(adjusted(readU16(segment, 16), before, segment.slice(20, headerBytes))), 16);
      return;
    }
    at += length;
  }
}

/** The bytes of the transport header that translation changes, checksum excepted. */
const header = (segment: Uint8Array, kind: string) =>
  kind === 'icmp' ? concat(segment.slice(0, 2), segment.slice(4, 6)) : segment.slice(0, 4);

/** Adjusts the checksum in `segment` (which still holds the old one), where it is not cut off. */
function setChecksum(segment: Bytes, kind: string, before: Uint8Array, after: Uint8Array): void {
  const at = kind === 'tcp' ? 16 : kind === 'udp' ? 6 : 2;
  if (segment.length < at + 2) return;
  const old = readU16(segment, at);
  if (kind === 'udp' && old === 0) return;
  const sum = adjusted(old, before, after);
  segment.set(u16(sum === 0 && kind === 'udp' ? 0xffff : sum), at);
}

function transportProblem(protocol: number, segment: Uint8Array, icmpProtocol: number): string | undefined {
  if (protocol === PROTOCOL.TCP) {
    if (segment.length < 20) return 'drop-truncated';
    const headerBytes = (segment[12] >> 4) * 4;
    return headerBytes < 20 || headerBytes > segment.length ? 'drop-truncated' : undefined;
  }
  if (protocol === PROTOCOL.UDP) {
    if (segment.length < 8) return 'drop-truncated';
    const udpBytes = readU16(segment, 4);
    return udpBytes < 8 || udpBytes > segment.length ? 'drop-bad-length' : undefined;
  }
  if (protocol !== icmpProtocol) return 'drop-protocol';
  return segment.length < 8 ? 'drop-truncated' : undefined;
}

function isUnicastHost(source: Uint8Array): boolean {
  const text = hex(source);
  const isLinkLocal = source[0] === 0xfe && (source[1] & 0xc0) === 0x80;
  return source[0] !== 0xff && !isLinkLocal && !/^0{16}(0{8}|0000ffff)/.test(text);
}

function sourceRoute(options: Uint8Array): 'none' | 'unexpired' | 'malformed' {
  let rest = options;
  while (rest.length > 0 && rest[0] !== 0) {
    if (rest[0] === 1) {
      rest = rest.slice(1);
      continue;
    }
    const length = rest[1] ?? 0;
    if (length < 2 || length > rest.length) return 'malformed';
    if (rest[0] === 131 || rest[0] === 137) {
      if (length < 3) return 'malformed';
      if (rest[2] <= length) return 'unexpired';
    }
    rest = rest.slice(length);
  }
  return 'none';
}
