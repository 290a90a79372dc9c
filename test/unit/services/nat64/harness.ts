/** The translator as a function from packets to packets. */
import { seededRandom } from '../../../random.ts';
import { createCounters, readCounters } from '../../../../src/runtime/counters.ts';
import { attachTables } from '../../../../src/services/nat64/tables/attach-tables.ts';
import { NAT64_COUNTERS, type Nat64Counter } from '../../../../src/services/nat64/counters.ts';
import { type EamTable, compileEam } from '../../../../src/services/nat64/settings/eam.ts';
import { expire } from '../../../../src/services/nat64/steps/expiry.ts';
import {
  HEADROOM_BYTES,
  clearOffload,
  loadPacket,
  storeOffloadHeader,
} from '../../../../src/services/nat64/packet/packet.ts';
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import { applyStaticEntries } from '../../../../src/services/nat64/tables/static-entries.ts';
import { createSharedTables } from '../../../../src/services/nat64/tables/tables.ts';
import { type Translator, createTranslator } from '../../../../src/services/nat64/steps/translator.ts';
import { type IpPrefix, parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';
import { isWellKnownPrefix, parseNat64Prefix } from '../../../../src/wire/nat64-prefix.ts';
import { VIRTIO_NET_HEADER_BYTES } from '../../../../src/wire/virtio-net.ts';
import { type Bytes, address, readU32 } from './packets.ts';
import type { PortPool } from '../../../../src/services/nat64/settings/pool.ts';
import { compileAccessList, compileList4 } from '../../../../src/services/nat64/settings/address-list.ts';
import { nextToSend, translate } from '../../../../src/services/nat64/steps/pipeline.ts';

export const POOL4 = '198.51.100.1';
/** Another address of the appliance, which is not in pool4. */
export const OWN4_BESIDE = '203.0.113.14';
export const OWN_IPV6 = '2001:db8:1::1';
export const HOST = '2001:db8:1::10';
export const REMOTE = '203.0.113.9';

/** Ports of an address; by default for every protocol. */
export const pool = (slot: number, firstPort: number, lastPort: number, protocols = 7): PortPool => ({
  slot,
  firstPort,
  lastPort,
  protocols,
});

export const prefixOf = (text: string): IpPrefix => {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new Error(`prefix ${text}`);
  return parsed;
};

/** Address mappings. */
export const eamOf = (...rows: readonly (readonly [ipv4: string, ipv6: string])[]): EamTable =>
  compileEam(rows.map(([ipv4, ipv6]) => ({ ipv4: prefixOf(ipv4), ipv6: prefixOf(ipv6) })));

export interface HarnessOptions {
  readonly prefix?: string;
  readonly extraPrefixes?: readonly string[];
  readonly ports?: readonly [number, number];
  readonly allow?: readonly string[];
  readonly pool4?: string;
  readonly maxSessions?: number;
  readonly random?: () => number;
  /** Settings that the other options do not cover. */
  readonly settings?: Partial<Settings>;
}

export function testSettings(options: HarnessOptions = {}): Settings {
  const prefixes = [options.prefix ?? '64:ff9b::/96', ...(options.extraPrefixes ?? [])].map((text) => {
    const parsed = parseNat64Prefix(text);
    if (parsed === undefined) throw new Error(`prefix ${text}`);
    return { ...parsed, refusesPrivate: isWellKnownPrefix(parsed) };
  });
  const allow = (options.allow ?? ['2001:db8:1::/64']).map(prefixOf);
  const own = address(OWN_IPV6);
  return {
    prefix: prefixes[0],
    prefixes,
    privatePrefix: prefixes.findIndex(({ refusesPrivate }) => !refusesPrivate),
    denied4: new Int32Array(),
    own4: compileList4([prefixOf(options.pool4 ?? POOL4), prefixOf(OWN4_BESIDE)]),
    embedded4: new Int32Array(),
    poolAddresses: Int32Array.of(readU32(address(options.pool4 ?? POOL4), 0) | 0),
    isOwnAddress: [true],
    isPoolAway: false,
    pools: [pool(0, ...(options.ports ?? ([32_768, 65_535] as const)))],
    staticEntries: [],
    eam: { by4: [], by6: [] },
    isStateless: false,
    eamHairpinning: 'intrinsic',
    icmpSources4: new Int32Array(),
    portRestSeconds: 120,
    keepsPortParity: true,
    keepsPortClass: true,
    portBlocks: undefined,
    maxMappingsPerClient: 1_000_000,
    maxSessionsPerClient: 1_000_000,
    clientPrefixBits: 128,
    allow: compileAccessList(allow),
    ownIpv6: Int32Array.from([0, 4, 8, 12], (at) => readU32(own, at) | 0),
    mtu4Bytes: 1500,
    mtu6Bytes: 1500,
    lowestIpv6MtuBytes: 1280,
    maxSegmentBytes: 1440,
    lifetimes: {
      udpSeconds: 300,
      tcpEstablishedSeconds: 7440,
      tcpTransitorySeconds: 240,
      icmpSeconds: 60,
      fragmentSeconds: 30,
    },
    isAddressDependent: false,
    dropsZeroUdpChecksum: false,
    dropsZeroUdpChecksum6: false,
    answersRefused4: false,
    answersRefused6: true,
    copiedClassTo6: 0xff,
    copiedClassTo4: 0xff,
    setClassTo4: 0,
    storesSyns: true,
    maxSessions: options.maxSessions ?? 1024,
    ...options.settings,
  };
}

export interface Harness {
  readonly translator: Translator;
  /** Translates one packet; returns the first packet to be sent, or undefined. */
  send(packet: Uint8Array): Bytes | undefined;
  /** The same; returns all packets to be sent. */
  sendAll(packet: Uint8Array): Bytes[];
  /** The same with a virtio header in front of both; returns all packets to be sent. `use` gets each one during the work. */
  sendWithOffload(frame: Uint8Array, use?: (frame: Bytes) => void): Bytes[];
  /** Sets the clock, and lets sessions end; returns the packets that are sent because of that. */
  setTime(seconds: number): Bytes[];
  counters(): Record<Nat64Counter, number>;
  /** Every counter that has changed since the last call, with the difference. */
  counted(): Partial<Record<Nat64Counter, number>>;
}

export function createHarness(options: HarnessOptions = {}): Harness {
  const settings = testSettings(options);
  const counters = createCounters(NAT64_COUNTERS);
  const tables = attachTables(createSharedTables(settings.maxSessions), 0, settings);
  applyStaticEntries(tables, settings.staticEntries, 0);
  const translator = createTranslator(settings, tables, counters, options.random ?? seededRandom(1));
  const { packet } = translator;
  let last = readCounters(counters);
  const output = (headerBytes: number): Bytes => packet.bytes.slice(packet.start - headerBytes, packet.end);
  return {
    translator,
    send(bytes) {
      return this.sendAll(bytes)[0];
    },
    sendAll(bytes) {
      packet.bytes.set(bytes, HEADROOM_BYTES);
      loadPacket(packet, bytes.length);
      clearOffload(packet);
      const all: Bytes[] = [];
      for (let isMore = translate(translator); isMore; isMore = nextToSend(translator)) all.push(output(0));
      return all;
    },
    sendWithOffload(frame, use) {
      packet.bytes.set(frame, HEADROOM_BYTES - VIRTIO_NET_HEADER_BYTES);
      loadPacket(packet, frame.length - VIRTIO_NET_HEADER_BYTES);
      const all: Bytes[] = [];
      for (let isMore = translate(translator); isMore; isMore = nextToSend(translator)) {
        storeOffloadHeader(packet);
        const out = output(VIRTIO_NET_HEADER_BYTES);
        all.push(out);
        use?.(out);
      }
      return all;
    },
    setTime(seconds) {
      translator.nowSeconds = seconds;
      const sent: Bytes[] = [];
      while (expire(translator, Number.MAX_SAFE_INTEGER)) sent.push(output(0));
      return sent;
    },
    counters: () => readCounters(counters),
    counted() {
      const now = readCounters(counters);
      const changes = Object.entries(now)
        .map(([name, value]) => [name, value - last[name as Nat64Counter]] as const)
        .filter(([, change]) => change !== 0);
      last = now;
      return Object.fromEntries(changes);
    },
  };
}
