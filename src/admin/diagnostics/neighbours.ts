/** The other machines on the LAN: candidates for servers. */
import { addressesOf } from '../../config/host-services.ts';
import { connect } from 'node:net';
import type { Config } from '../../config/schema.ts';
import type { Neighbour } from '../../os/neighbours.ts';
import type { PingOptions } from '../../os/ping.ts';
import { formatIpv6, parseIpv6 } from '../../wire/ip-address.ts';
import type { NeighboursAnswer } from '../contract/checks.ts';
import { createLimit } from './limit.ts';
import type { InterfaceState, Machine } from '../../os/machine.ts';
import { ownResolver } from '../../config/resolvers.ts';
import { ownDevices } from '../../services/configured.ts';
import { linksOf } from './network.ts';

type NeighbourAnswer = NeighboursAnswer['neighbours'][number];

/** Ports that servers usually have open. */
export const SERVER_PORTS = [22, 80, 443] as const;
const ALL_NODES = 'ff02::1';
const GATHER_MS = 1000;
const REPLY_MS = 500;
const CONNECT_TIMEOUT_MS = 1000;
const MAX_NEIGHBOURS = 256;
const CONNECTIONS_AT_ONCE = 16;
const NAMES_AT_ONCE = 8;
/** States of neighbours that did not answer, or that were not probed. */
const ABSENT = new Set(['FAILED', 'INCOMPLETE', 'NONE', 'NOARP']);

export interface NeighbourDeps {
  readonly machine: Machine;
  readonly config: Config;
  /** The multicast DNS name; undefined if there is none. */
  readonly mdnsName: (address: string) => Promise<string | undefined>;
  /** Whether a port accepts a connection. */
  readonly isOpen: (address: string, port: number) => Promise<boolean>;
}

/** The neighbours that the kernel knows. One that has global addresses is not also listed with its link-local address. */
export async function listNeighbours(deps: NeighbourDeps): Promise<NeighboursAnswer> {
  const { machine, config } = deps;
  const own = ownDevices(config);
  const present = pickNeighbours(await machine.neighbours()).filter((each) => !own.has(each.interface));
  const names = await hostsFile(machine);
  const limit = createLimit(NAMES_AT_ONCE);
  const neighbours = present.slice(0, MAX_NEIGHBOURS).map((neighbour) =>
    limit(
      async (): Promise<NeighbourAnswer> => ({
        address: neighbour.address,
        interface: neighbour.interface,
        mac: neighbour.mac ?? null,
        name: names.get(neighbour.address) ?? (await nameOf(neighbour.address, deps)) ?? null,
        isRouter: neighbour.isRouter,
        server:
          config.hosts.find((host) =>
            addressesOf(host).some((address) => canonical(address) === canonical(neighbour.address)),
          )?.name ?? null,
        openPorts: null,
      }),
    ),
  );
  return { neighbours: await Promise.all(neighbours) };
}

/** First finds the machines on every link, then probes the server ports of each neighbour. */
export async function probeNeighbours(deps: NeighbourDeps): Promise<NeighboursAnswer> {
  const links = (await linksOf(deps.machine, deps.config)).filter(({ isUp }) => isUp);
  await Promise.all(links.map((link) => askAllNodes(deps.machine, link)));
  const { neighbours } = await listNeighbours(deps);
  const limit = createLimit(CONNECTIONS_AT_ONCE);
  const probed = neighbours.map(async (neighbour): Promise<NeighbourAnswer> => {
    // Link-local addresses need a zone, and no server is configured by one.
    if (isLinkLocal(neighbour.address)) return neighbour;
    const open = await Promise.all(
      SERVER_PORTS.map((port) =>
        limit(async () => ((await deps.isOpen(neighbour.address, port)) ? [port] : [])),
      ),
    );
    return { ...neighbour, openPorts: open.flat() };
  });
  return { neighbours: await Promise.all(probed) };
}

/** Present neighbours, by address. A neighbour with other addresses is listed without its link-local ones. */
export function pickNeighbours(neighbours: readonly Neighbour[]): Neighbour[] {
  const present = neighbours.filter(
    ({ states, mac }) => mac !== undefined && !states.some((state) => ABSENT.has(state)),
  );
  const known = new Set(present.filter(({ address }) => !isLinkLocal(address)).map(({ mac }) => mac));
  return present
    .filter(({ address, mac }) => !isLinkLocal(address) || !known.has(mac))
    .sort((a, b) => a.address.localeCompare(b.address, 'en', { numeric: true }));
}

/**
 * Sends an echo request to all nodes of a link (RFC 4291 section 2.7.1) from each of our global addresses, so that they answer
 * from their global addresses. Then sends one to each node that answered, so that the kernel learns its hardware address.
 */
async function askAllNodes(machine: Machine, link: InterfaceState): Promise<void> {
  const target = parseIpv6(ALL_NODES);
  if (target === undefined) return;
  const sources = link.addresses.flatMap(({ address }) =>
    isLinkLocal(address) ? [] : (parseIpv6(address) ?? []),
  );
  const limit = createLimit(CONNECTIONS_AT_ONCE);
  // Without permission to ping, only the neighbours that the kernel knows already are found.
  const ask = (options: PingOptions) => machine.ping({ ...options, scopeId: link.index }).catch(() => []);
  for (const source of sources) {
    const replies = await ask({ target, source, timeoutMs: GATHER_MS, isMulticast: true });
    const others = replies.slice(0, MAX_NEIGHBOURS).flatMap(({ address }) => parseIpv6(address) ?? []);
    await Promise.all(others.map((other) => limit(() => ask({ target: other, timeoutMs: REPLY_MS }))));
  }
}

async function nameOf(
  address: string,
  { machine, config, mdnsName }: NeighbourDeps,
): Promise<string | undefined> {
  const mdns = await mdnsName(address);
  const resolver = ownResolver(config);
  if (mdns !== undefined || isLinkLocal(address) || resolver === undefined) return mdns;
  const lookup = await machine.lookUp([resolver], reverseName(address), 'PTR');
  return lookup.kind === 'found' ? lookup.values[0] : undefined;
}

/** The name under ip6.arpa (RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  const hex = Buffer.from(parseIpv6(address) ?? new Uint8Array(16)).toString('hex');
  return `${[...hex].reverse().join('.')}.ip6.arpa`;
}

async function hostsFile(machine: Machine): Promise<Map<string, string>> {
  const text = (await machine.read('/etc/hosts')) ?? '';
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address, name] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (name !== undefined) names.set(canonical(address), name);
  }
  return names;
}

const AVAHI_SOCKET = '/run/avahi-daemon/socket';
const AVAHI_TIMEOUT_MS = 800;

/** Queries avahi, which runs on the appliance, over the same socket as its name service module. Never rejects. */
export function avahiName(address: string, path = AVAHI_SOCKET): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect(path);
  const timer = setTimeout(() => resolve(undefined), AVAHI_TIMEOUT_MS);
  let text = '';
  socket.on('error', () => resolve(undefined)).on('close', () => resolve(undefined));
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    // "+ INTERFACE PROTOCOL ADDRESS NAME", or "-CODE message".
    if (text.includes('\n')) resolve(/^\+ \S+ \S+ \S+ (\S+)\n/.exec(text)?.[1]);
  });
  socket.write(`RESOLVE-ADDRESS ${address}\n`);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** Whether a TCP port accepts a connection within a second. Never rejects. */
export function isPortOpen(address: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: address, port });
  const timer = setTimeout(() => resolve(false), CONNECT_TIMEOUT_MS);
  socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

const isLinkLocal = (address: string) => /^fe[89ab]/i.test(address);

function canonical(address: string): string {
  const bytes = parseIpv6(address);
  return bytes === undefined ? address : formatIpv6(bytes);
}
