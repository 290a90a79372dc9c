/** How much of the tables is used: the BIB summed up by host, and by pool. */
import type { ClientRow, PoolUse, PortBlockQuestion, PortBlockRow, TopClients } from '../questions.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../../wire/ip-address.ts';
import { maskAddress } from '../../../wire/ip-prefix.ts';
import { type TablesView, formatHost, isSameHost, poolsOf, walkBib } from './inspect.ts';
import { PROTOCOLS } from '../packet/packet.ts';
import { type PortBlocks, clientOfPort, portBlockOf } from '../settings/port-blocks.ts';
import { CONTROL, mix } from './tables.ts';
import { slotOf } from '../settings/pool.ts';

/** The limit of clients that are counted individually: it bounds the memory of one query to about 3 MB. */
const MAX_CLIENTS = 65_536;
const SLOTS = MAX_CLIENTS * 2;
/** Words of a slot: the address, then the counts. A slot without mappings is free. */
const SLOT_WORDS = 6;
const SESSIONS = 4;
const MAPPINGS = 5;

/** The `limit` clients with the most sessions. */
export async function topClients(view: TablesView, limit: number): Promise<TopClients> {
  const slots = new Int32Array(SLOTS * SLOT_WORDS);
  const seed = view.tables.control[CONTROL.HASH_SEED];
  let clients = 0;
  let isComplete = true;
  await walkBib(view, (mapping) => {
    const at = placeOf(slots, seed, mapping.host);
    if (slots[at + MAPPINGS] === 0) {
      if (clients === MAX_CLIENTS) {
        isComplete = false;
        return true;
      }
      clients++;
      slots.set(mapping.host, at);
    }
    slots[at + SESSIONS] += mapping.sessions;
    slots[at + MAPPINGS]++;
    return true;
  });
  return { rows: largest(slots, limit), clients, isComplete };
}

/** The position of the host's counts, or of a free slot. Half of the slots stay free, so the search ends. */
function placeOf(slots: Int32Array, seed: number, host: Int32Array): number {
  let slot = mix(mix(mix(mix(seed, host[3]), host[2]), host[1]), host[0]) & (SLOTS - 1);
  for (;;) {
    const at = slot * SLOT_WORDS;
    if (slots[at + MAPPINGS] === 0 || isSameHost(host, slots, at)) return at;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

/** The rows with the most sessions, the largest first. */
function largest(slots: Int32Array, limit: number): ClientRow[] {
  const top: number[] = [];
  for (let at = 0; at < slots.length; at += SLOT_WORDS) {
    if (slots[at + MAPPINGS] === 0) continue;
    const sessions = slots[at + SESSIONS];
    if (top.length === limit && sessions <= slots[top[limit - 1] + SESSIONS]) continue;
    const place = top.findIndex((other) => slots[other + SESSIONS] < sessions);
    top.splice(place === -1 ? top.length : place, 0, at);
    if (top.length > limit) top.pop();
  }
  return top.map((at) => ({
    client: formatHost(slots.subarray(at, at + 4)),
    sessions: slots[at + SESSIONS],
    mappings: slots[at + MAPPINGS],
  }));
}

/** How much of each pool is in use. */
export async function poolUse(view: TablesView): Promise<PoolUse> {
  const { tables } = view;
  const pools = poolsOf(view).map((pool) => ({ ...pool, used: [0, 0, 0] }));
  await walkBib(view, ({ protocol, mappedAddress, mappedPort }) => {
    const pool = pools.find(
      ({ address, firstPort, lastPort, protocols }) =>
        address === mappedAddress &&
        mappedPort >= firstPort &&
        mappedPort <= lastPort &&
        (protocols & (1 << protocol)) !== 0,
    );
    if (pool !== undefined) pool.used[protocol]++;
    return true;
  });
  return {
    sessions: tables.control[CONTROL.SESSION_COUNT],
    maxSessions: tables.maxSessions,
    pools: pools.map(({ address, firstPort, lastPort, protocols, used: [tcp, udp, icmp] }) => ({
      address: formatIpv4(address),
      firstPort,
      lastPort,
      size: lastPort - firstPort + 1,
      protocols: PROTOCOLS.filter((_, protocol) => (protocols & (1 << protocol)) !== 0),
      used: { tcp, udp, icmp },
    })),
    portBlocks: describePortBlocks(view.settings.portBlocks),
  };
}

function describePortBlocks(portBlocks: PortBlocks | undefined): PoolUse['portBlocks'] {
  if (portBlocks === undefined) return null;
  const sum = (items: readonly { count: number }[]) => items.reduce((total, { count }) => total + count, 0);
  const [tcp, udp, icmp] = portBlocks.ranges.map(sum);
  return { size: portBlocks.size, clients: sum(portBlocks.clients), blocks: { tcp, udp, icmp } };
}

/** The blocks of a client, or the block that contains a port. */
export function listPortBlocks({ settings }: TablesView, question: PortBlockQuestion): PortBlockRow[] {
  const { portBlocks, poolAddresses } = settings;
  if (portBlocks === undefined) return [];
  return PROTOCOLS.flatMap((name, protocol) => {
    const words = wordsOfClient(portBlocks, poolAddresses, protocol, question);
    if (words === undefined) return [];
    const block = portBlockOf(portBlocks, protocol, words);
    if (block === undefined) return [];
    const { slot, firstPort, lastPort } = block;
    const client = maskAddress(parseIpv6(formatHost(words)) as Uint8Array, portBlocks.clientBits);
    return [
      {
        protocol: name,
        client: `${formatIpv6(client)}/${portBlocks.clientBits}`,
        poolAddress: formatIpv4(poolAddresses[slot]),
        firstPort,
        lastPort,
      },
    ];
  });
}

function wordsOfClient(
  portBlocks: PortBlocks,
  poolAddresses: Int32Array,
  protocol: number,
  question: PortBlockQuestion,
): Int32Array | undefined {
  if ('client' in question) {
    const address = parseIpv6(question.client);
    if (address === undefined) return undefined;
    const view = new DataView(address.buffer, address.byteOffset, 16);
    return Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at));
  }
  const slot = slotOf(poolAddresses, (parseIpv4(question.poolAddress) ?? 0) | 0);
  return slot === -1 ? undefined : clientOfPort(portBlocks, protocol, slot, question.poolPort);
}
