/** Chooses the addresses, ports and static entries of pool4, from the configuration and the current state of the machine. */
import type { Nat64Config } from '../../../config/schema.ts';
import {
  type PortRange,
  parseIpv4Endpoint,
  parseIpv6Endpoint,
  parsePortRange,
} from '../../../config/values.ts';
import { parseIpv4 } from '../../../wire/ip-address.ts';
import type { Machine } from './machine.ts';
import { PROTOCOLS, TRANSPORT } from '../packet/packet.ts';
import type { StaticEntry } from './settings.ts';
import type { SteeredAddress } from './steered-ports.ts';
import { type PortPool, slotOf, MAX_ADDRESSES } from './pool.ts';
import { compileOwn4, isInList4 } from './address-list.ts';

export interface Pool4 {
  /** By slot, signed; 0 for unused slots. */
  readonly addresses: Int32Array;
  /** The address for "auto", signed, while the machine does not have it: kept only for its sessions (outage.ts). Otherwise 0. */
  readonly keptAddress: number;
  /** By slot: whether it is an address of this machine. */
  readonly isOwn: readonly boolean[];
  readonly pools: readonly PortPool[];
  /** The same, including pools whose address is not known yet; those have slot -1. */
  readonly configured: readonly PortPool[];
  readonly staticEntries: readonly StaticEntry[];
}

/** The value in stateless mode. */
const NO_POOL4: Pool4 = {
  addresses: new Int32Array(),
  keptAddress: 0,
  isOwn: [],
  pools: [],
  configured: [],
  staticEntries: [],
};

/** Chooses pool4. Addresses keep the slot that they had in `previous`. The result is empty if there is no address at all. */
export function choosePool4(
  config: Nat64Config,
  { automatic: found, own }: Pick<Machine, 'automatic' | 'own'>,
  previous: Int32Array,
): Pool4 {
  if (config.mode === 'stateless') return NO_POOL4;
  const automatic = found?.address;
  const addressOf = (text: string) => (text === 'auto' ? automatic : parseIpv4(text));
  const wanted = new Set<number>();
  for (const { address: text } of config.pool4) {
    const address = addressOf(text);
    if (address !== undefined) wanted.add(address | 0);
  }
  const addresses = assignSlots(wanted, previous);
  // This includes addresses on a link without carrier.
  const own4 = compileOwn4(own);
  const configured = config.pool4.map(({ address: text, ports, protocols }) => {
    const { first: firstPort, last: lastPort } = parsePortRange(ports) as PortRange;
    return {
      slot: slotOf(addresses, (addressOf(text) ?? 0) | 0),
      firstPort,
      lastPort,
      protocols: protocols.reduce((mask, name) => mask | (1 << PROTOCOLS.indexOf(name)), 0),
    };
  });
  const keptAddress =
    found?.isThere === false && config.pool4.some(({ address }) => address === 'auto')
      ? found.address | 0
      : 0;
  return {
    addresses,
    keptAddress,
    isOwn: Array.from(
      addresses,
      (address) => isInList4(own4, address) || (address !== 0 && address === keptAddress),
    ),
    pools: configured.filter(({ slot }) => slot !== -1),
    configured,
    staticEntries: config.static.flatMap(({ protocol, ipv4, ipv6 }) => {
      const inside = parseIpv6Endpoint(ipv6);
      const outside = parseIpv4Endpoint(ipv4);
      if (inside === undefined || outside === undefined) return [];
      const slot = slotOf(addresses, (outside.address === 'auto' ? (automatic ?? 0) : outside.address) | 0);
      if (slot === -1) return [];
      const view = new DataView(inside.address.buffer, inside.address.byteOffset, 16);
      return [
        {
          protocol: protocol === 'tcp' ? TRANSPORT.TCP : TRANSPORT.UDP,
          slot,
          port: outside.port,
          host: Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at)),
          hostPort: inside.port,
        },
      ];
    }),
  };
}

function assignSlots(wanted: ReadonlySet<number>, previous: Int32Array): Int32Array {
  const addresses = new Int32Array(MAX_ADDRESSES);
  addresses.set(previous.map((address) => (wanted.has(address) ? address : 0)));
  for (const address of wanted) {
    if (addresses.includes(address)) continue;
    const slot = addresses.indexOf(0);
    if (slot === -1) throw new Error(`nat64.pool4: more than ${MAX_ADDRESSES} addresses`);
    addresses[slot] = address;
  }
  // Every packet is compared with these, so the list is kept short.
  return addresses.slice(0, addresses.findLastIndex((address) => address !== 0) + 1);
}

/** The addresses and ports of the pool that must be steered to the TUN device. */
export const steeredAddresses = ({ addresses, isOwn, pools, staticEntries }: Pool4): SteeredAddress[] =>
  Array.from(addresses).flatMap((address, slot) =>
    address === 0
      ? []
      : [
          {
            address: address >>> 0,
            isOwn: isOwn[slot],
            ranges: {
              tcp: rangesOf(pools, slot, TRANSPORT.TCP),
              udp: rangesOf(pools, slot, TRANSPORT.UDP),
              icmp: rangesOf(pools, slot, TRANSPORT.ICMP),
            },
            tcpPorts: portsOf(staticEntries, slot, TRANSPORT.TCP),
            udpPorts: portsOf(staticEntries, slot, TRANSPORT.UDP),
          },
        ],
  );

const rangesOf = (pools: readonly PortPool[], slot: number, protocol: number): PortRange[] =>
  pools
    .filter((pool) => pool.slot === slot && (pool.protocols & (1 << protocol)) !== 0)
    .map(({ firstPort, lastPort }) => ({ first: firstPort, last: lastPort }));

const portsOf = (entries: readonly StaticEntry[], slot: number, protocol: number): number[] =>
  entries.filter((entry) => entry.slot === slot && entry.protocol === protocol).map(({ port }) => port);
