/** Makes the settings: the configuration, with everything that depends on the machine resolved. */
import type { Nat64Config } from '../../../config/schema.ts';
import { parseIpv4, parseIpv6 } from '../../../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../../../wire/ip-prefix.ts';
import {
  type Nat64Prefix,
  isWellKnownPrefix,
  parseNat64Prefix,
  writeEmbeddedIpv4,
} from '../../../wire/nat64-prefix.ts';
import { compileAccessList, compileList4, compileOwn4 } from './address-list.ts';
import type { Pool4 } from './choose-pool4.ts';
import { compileEam } from './eam.ts';
import { embeddedPrefixes } from './embedded.ts';
import type { Machine } from './machine.ts';
import { compilePortBlocks } from './port-blocks.ts';
import type { Settings, TranslatedPrefix } from './settings.ts';

/** No segment size in a TCP SYN can be larger. */
const NO_LIMIT_BYTES = 65_535;
/** All bits of the TOS octet, or of the traffic class. */
const WHOLE_OCTET = 0xff;
const TCP_AND_IPV4_HEADER_BYTES = 40;
const TCP_AND_IPV6_HEADER_BYTES = 60;

/** The largest segment that fits the MTU of both sides. */
const largestSegmentBytes = ({ mtu4Bytes, mtu6Bytes }: Nat64Config): number =>
  Math.min(mtu4Bytes - TCP_AND_IPV4_HEADER_BYTES, mtu6Bytes - TCP_AND_IPV6_HEADER_BYTES);

/** The settings for the worker: the configuration, with everything that depends on the machine resolved. */
export function resolveSettings(config: Nat64Config, pool4: Pool4, machine: Machine): Settings {
  const prefixes = prefixesOf(config).map((text) => translatedPrefix(text, config.privateAddresses));
  const [prefix] = prefixes;
  const { portBlocks, clientPrefixBits } = config;
  return {
    prefix,
    prefixes,
    privatePrefix: prefixes.findIndex(({ refusesPrivate }) => !refusesPrivate),
    denied4: compileList4(config.denyIpv4.map(parsed)),
    own4: compileOwn4(machine.own),
    embedded4: compileList4(embeddedPrefixes(config, machine.routes6)),
    poolAddresses: pool4.addresses,
    isOwnAddress: pool4.isOwn,
    pools: pool4.pools,
    isPoolAway: pool4.keptAddress !== 0 && pool4.pools.every(({ slot }) => isKept(pool4, slot)),
    staticEntries: pool4.staticEntries,
    eam: compileEam(
      config.eam.map(({ ipv4, ipv6, side }) => ({
        ipv4: parsed(ipv4),
        ipv6: parsed(ipv6),
        isOnIpv4Side: side === 'ipv4',
      })),
    ),
    isStateless: config.mode === 'stateless',
    eamHairpinning: config.eamHairpinning,
    icmpSources4: Int32Array.from(config.icmpSource4, (text) => (parseIpv4(text) ?? 0) | 0),
    portRestSeconds: config.portRestSeconds,
    keepsPortParity: config.keepPortParity,
    keepsPortClass: config.keepPortClass,
    portBlocks:
      portBlocks.size === 0
        ? undefined
        : compilePortBlocks(
            portBlocks.size,
            clientPrefixBits,
            portBlocks.clients.map(parsed),
            pool4.configured,
          ),
    maxMappingsPerClient: config.maxMappingsPerClient,
    maxSessionsPerClient: config.maxSessionsPerClient,
    clientPrefixBits: config.clientPrefixBits,
    // The appliance's own programs are always allowed: they can use its IPv4 address anyway.
    allow: compileAccessList(
      [
        ...config.allow.flatMap((entry) => (entry === 'lan' ? [...machine.attached.keys()] : [entry])),
        ...machine.own6.keys(),
      ].map(parsed),
    ),
    ownIpv6: ownIpv6(prefix, machine, pool4.addresses[0] ?? 0),
    mtu4Bytes: config.mtu4Bytes,
    mtu6Bytes: config.mtu6Bytes,
    lowestIpv6MtuBytes: config.lowestIpv6MtuBytes,
    maxSegmentBytes: config.clampSegmentSize ? largestSegmentBytes(config) : NO_LIMIT_BYTES,
    maxSessions: config.maxSessions,
    lifetimes: config.lifetimes,
    isAddressDependent: config.filtering === 'address-dependent',
    dropsZeroUdpChecksum: config.zeroUdpChecksum === 'drop',
    dropsZeroUdpChecksum6: config.zeroUdpChecksumFromIpv6 === 'drop',
    answersRefused4: config.refusedFromIpv4 === 'prohibited',
    answersRefused6: config.refusedFromIpv6 === 'prohibited',
    copiedClassTo6: config.trafficClass === 'copy' ? WHOLE_OCTET : 0,
    copiedClassTo4: config.typeOfService === 'copy' ? WHOLE_OCTET : 0,
    setClassTo4: config.typeOfService === 'copy' ? 0 : config.typeOfServiceValue,
    storesSyns: config.unsolicitedSyn === 'store',
  };
}

const isKept = ({ addresses, keptAddress }: Pool4, slot: number) => addresses[slot] === keptAddress;

const parsed = (text: string): IpPrefix => parseIpPrefix(text) as IpPrefix;

/** All prefixes. The first one always exists. */
export const prefixesOf = ({ prefix, extraPrefixes }: Nat64Config): string[] => [prefix, ...extraPrefixes];

function translatedPrefix(text: string, privateAddresses: Nat64Config['privateAddresses']): TranslatedPrefix {
  const prefix = parseNat64Prefix(text);
  if (prefix === undefined) throw new Error(`nat64.prefix: "${text}" is no NAT64 prefix`);
  const refusesPrivate =
    privateAddresses === 'by-prefix' ? isWellKnownPrefix(prefix) : privateAddresses === 'refuse';
  return { ...prefix, refusesPrivate };
}

/** An IPv6 address of the machine. If it has none, the address in the prefix that represents the pool4 address. */
function ownIpv6(prefix: Nat64Prefix, { own6 }: Machine, pool4Address: number): Int32Array {
  const [text] = own6.keys();
  const address = text === undefined ? undefined : parseIpv6(text);
  const view = new DataView(address?.buffer ?? new ArrayBuffer(16));
  if (address === undefined) writeEmbeddedIpv4(prefix, pool4Address, view, 0);
  return Int32Array.from({ length: 4 }, (_, i) => view.getInt32(i * 4));
}
