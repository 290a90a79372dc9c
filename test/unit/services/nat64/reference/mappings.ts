/** How an IPv4 address is assigned: by address mapping (RFC 7757), by RFC 6052 in stateless mode, or as a port of a shared one. */
import { type Bytes, concat } from '../packets.ts';
import { hex, isNonGlobal, isWellKnown, neverRouted, startsWith } from './headers.ts';
import type { Bib, Choices, Eam, ReferenceConfig, State } from './types.ts';

const bits = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes)}`);
const bytesOf = (value: bigint, length: number): Bytes =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex'));

/** The longest prefix of the table that contains an address. */
function longest(table: readonly Eam[], matches: (eam: Eam) => boolean, length: (eam: Eam) => number) {
  return table.filter(matches).sort((a, b) => length(b) - length(a))[0];
}

export const eamOf4 = ({ eam }: ReferenceConfig, address: Uint8Array): Eam | undefined =>
  longest(
    eam,
    ({ ipv4, bits4 }) => bits(address) >> BigInt(32 - bits4) === ipv4 >> BigInt(32 - bits4),
    ({ bits4 }) => bits4,
  );

/** RFC 7757 section 3.3.1: the suffix of IPv4 behind the prefix of IPv6, then zeros. */
export function eamAddress6({ ipv6, bits4, bits6 }: Eam, address: Uint8Array): Bytes {
  const suffixBits = BigInt(32 - bits4);
  const suffix = bits(address) & ((1n << suffixBits) - 1n);
  return bytesOf(ipv6 | (suffix << (BigInt(128 - bits6) - suffixBits)), 16);
}

/** Section 3.3.2: the opposite direction. */
function eamAddress4({ ipv4, bits4, bits6 }: Eam, address: Uint8Array): Bytes {
  const suffixBits = BigInt(32 - bits4);
  const suffix = (bits(address) >> (BigInt(128 - bits6) - suffixBits)) & ((1n << suffixBits) - 1n);
  return bytesOf(ipv4 | suffix, 4);
}

const eamOf6 = ({ eam }: ReferenceConfig, host: Uint8Array): Eam | undefined =>
  longest(
    eam,
    ({ ipv6, bits6 }) => bits(host) >> BigInt(128 - bits6) === ipv6 >> BigInt(128 - bits6),
    ({ bits6 }) => bits6,
  );

/** Whether an IPv4 address is embedded in the address of one of our hosts. */
const isEmbedded = ({ isStateless, embedded }: ReferenceConfig, address: Uint8Array): boolean =>
  isStateless && startsWith(address, embedded);

/** The IPv4 address that belongs to an IPv6 host alone. */
export function ownAddress4(config: ReferenceConfig, host: Uint8Array): Bytes | undefined {
  const eam = eamOf6(config, host);
  if (eam !== undefined) return eam.isOnIpv4Side ? undefined : eamAddress4(eam, host);
  const inside = concat(host.slice(12));
  return startsWith(host, config.prefix) && isEmbedded(config, inside) ? inside : undefined;
}

/** The host to which an IPv4 address belongs alone. */
export function ownHost(config: ReferenceConfig, address: Uint8Array): Bytes | undefined {
  const eam = eamOf4(config, address);
  if (eam !== undefined) return eam.isOnIpv4Side ? undefined : eamAddress6(eam, address);
  return isEmbedded(config, address) ? concat(config.prefix, address) : undefined;
}

/** RFC 7757 section 3.3.2: the IPv4 address that an IPv6 destination represents, by its mapping or by the prefix. */
export function remote4(
  config: ReferenceConfig,
  destination: Uint8Array,
): { address: Bytes; hasEam: boolean } | undefined {
  const eam = eamOf6(config, destination);
  if (eam !== undefined) return { address: eamAddress4(eam, destination), hasEam: true };
  if (!startsWith(destination, config.prefix)) return undefined;
  return { address: concat(destination.slice(12)), hasEam: false };
}

/** Why an IPv4 address is not a valid destination. */
export function refusedRemote(
  config: ReferenceConfig,
  { address, hasEam }: { address: Uint8Array; hasEam: boolean },
): 'drop-non-global' | 'drop-no-route' | undefined {
  if (neverRouted(address)) return 'drop-non-global';
  if (hasEam) return undefined;
  if (isWellKnown(config) && isNonGlobal(address)) return 'drop-non-global';
  return isEmbedded(config, address) ? 'drop-no-route' : undefined;
}

/** RFC 7757 section 4: whether IPv4 sources are represented by their mappings, in a packet to a host with its own IPv4 address. */
export const goesByEam = ({ eamHairpinning }: ReferenceConfig, isHairpinned: boolean): boolean =>
  eamHairpinning === 'none' || (eamHairpinning === 'intrinsic' && !isHairpinned);

/** The IPv6 representation of a remote; `byEam`: by its mapping, if it has one. */
export function remote6(config: ReferenceConfig, address: Uint8Array, byEam: boolean): Bytes {
  const eam = byEam ? eamOf4(config, address) : undefined;
  return eam === undefined ? concat(config.prefix, address) : eamAddress6(eam, address);
}

/** One of the appliance's own addresses, or one that hosts share. */
export const isOurs = (config: ReferenceConfig, address: Uint8Array): boolean =>
  isShared(config, address) || config.own.some((each) => hex(each) === hex(address));

export const isShared = ({ addresses }: ReferenceConfig, address: Uint8Array): boolean =>
  addresses.some((each) => hex(each) === hex(address));

export const inPool = ({ pools }: ReferenceConfig, address: Uint8Array, port: number): boolean =>
  pools.some((pool) => hex(pool.address) === hex(address) && port >= pool.first && port <= pool.last);

export const portKey = (kind: string, address: Uint8Array, port: number): string =>
  `${kind} ${hex(address)} ${port}`;

export const sessionKey = (bib: Bib, remote: Uint8Array, remotePort: number): string =>
  `${portKey(bib.kind, bib.address, bib.mappedPort)} ${hex(remote)} ${remotePort}`;

export function freePorts({ config, byPort }: State, kind: string): { address: Uint8Array; port: number }[] {
  return config.pools.flatMap(({ address, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => ({ address, port: first + i })).filter(
      ({ port }) => !byPort.has(portKey(kind, address, port)),
    ),
  );
}

/** The mapping that the optimised translator made; throws if it was not allowed (N9, N35, N42). */
export function newBib(
  state: State,
  kind: string,
  host: Uint8Array,
  hostPort: number,
  choices: Choices,
): Bib {
  const { address, port: mappedPort } = choices.mappingOf(kind, host, hostPort);
  const { config, byPort, byHost } = state;
  const key = portKey(kind, address, mappedPort);
  const what = `port ${mappedPort} of ${hex(address)}`;
  if (!inPool(config, address, mappedPort)) throw new Error(`${what} is outside the pool`);
  if (byPort.has(key)) throw new Error(`${what} is in use`);
  const sameAddress = freePorts(state, kind).filter((free) => hex(free.address) === hex(address));
  if (
    kind === 'udp' &&
    (mappedPort & 1) !== (hostPort & 1) &&
    sameAddress.some(
      ({ port }) => (port & 1) === (hostPort & 1) && isSamePool(config, address, port, mappedPort),
    )
  )
    throw new Error(`${what} for ${hostPort}, although a port of the same parity was free`);
  const earlier = [...byHost.values()].filter((bib) => hex(bib.host) === hex(host));
  const hasLeft = earlier.length > 0 && !earlier.some((bib) => hex(bib.address) === hex(address));
  if (hasLeft && freePorts(state, kind).some((free) => hex(free.address) === hex(earlier[0].address)))
    throw new Error(`${what}, although the host has another address with free ports`);
  const bib = { kind, address, host, hostPort, mappedPort };
  byPort.set(key, bib);
  byHost.set(`${kind} ${hex(host)} ${hostPort}`, bib);
  return bib;
}

const isSamePool = ({ pools }: ReferenceConfig, address: Uint8Array, a: number, b: number): boolean =>
  pools.some(
    ({ address: own, first, last }) =>
      hex(own) === hex(address) && Math.min(a, b) >= first && Math.max(a, b) <= last,
  );

/** RFC 6146 section 3.8, RFC 7757 section 4: whether a packet to the IPv4 side comes back in. */
export function isHairpin(
  state: State,
  kind: string | undefined,
  { address: remote, hasEam }: { address: Uint8Array; hasEam: boolean },
  remotePort: number,
  errorPeer?: Uint8Array,
): boolean {
  const { config, byPort } = state;
  const isHost = (address: Uint8Array) => eamOf4(config, address)?.isOnIpv4Side === false;
  if (config.eamHairpinning === 'intrinsic' && !hasEam && isHost(remote))
    return errorPeer === undefined || isHost(errorPeer);
  if (!isShared(config, remote) || (kind !== 'tcp' && kind !== 'udp')) return false;
  if (errorPeer !== undefined && hex(errorPeer) !== hex(remote)) return false;
  return inPool(config, remote, remotePort) || byPort.has(portKey(kind, remote, remotePort));
}
