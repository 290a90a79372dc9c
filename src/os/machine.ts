/** What the diagnostics read from the machine: one interface, so that tests can simulate any machine. */
import { Resolver } from 'node:dns/promises';
import { constants } from 'node:fs';
import { access, readFile, readdir, readlink, stat, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { interfaceAddresses } from './interfaces.ts';
import { basename } from 'node:path';
import { askRouter } from './ask-router.ts';
import { type ClockState, clockState } from './clock.ts';
import { runCommand } from './command.ts';
import { type Neighbour, ipv6Neighbours } from './neighbours.ts';
import { readOwn } from './follow-ourselves.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { type NetworkPath, pathTo } from './path.ts';
import { type ConnectAttempt, type ConnectResult, connectFrom } from './connect-from.ts';
import { type EchoReply, type PingOptions, ping } from './ping.ts';
import { type Gateway, type ListeningSocket, defaultRoutes, listeningSockets } from './proc-net.ts';
import { defaultSourceIpv4 } from './routes.ts';
import { type Text, asIs, say } from '../texts/text.ts';
import { ownSocketInodes, socketOwner } from './socket-owner.ts';

export interface InterfaceState {
  readonly name: string;
  readonly index: number;
  readonly isUp: boolean;
  readonly mac: string | undefined;
  readonly mtuBytes: number;
  readonly addresses: readonly { readonly address: string; readonly prefixBits: number }[];
}

export interface DiskState {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** 0 where the file system does not count them. */
  readonly totalFiles: number;
  readonly freeFiles: number;
  readonly isWritable: boolean;
  /** "mmcblk0p4"; undefined when it is no block device. */
  readonly device: string | undefined;
}

export interface FirewallState {
  /** As `nft -j list ruleset` prints them; undefined when they cannot be read. */
  readonly nftables: string | undefined;
  /** As `iptables-legacy -S` and `ip6tables-legacy -S` print theirs, if there are any. */
  readonly legacy: readonly string[];
}

/** "none": the name, or records of this type, do not exist; "failed": no answer, so unknown. */
export type Lookup =
  | { readonly kind: 'found'; readonly values: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: Text };

export interface Machine {
  hostname(): string;
  /** The text of a file without white space around it; undefined when it cannot be read. */
  read(path: string): Promise<string | undefined>;
  /** Names in a directory; empty when there is none. */
  list(path: string): Promise<readonly string[]>;
  /** All interfaces but loopback. */
  interfaces(): Promise<readonly InterfaceState[]>;
  gateways(family: 4 | 6): readonly Gateway[];
  /** The machine's IPv4 address that the default route uses (unsigned). */
  sourceIpv4(): number | undefined;
  /** What the kernel delivers to this machine. */
  own(): readonly IpPrefix[];
  /** The router's address (unsigned) towards the Internet, as the router reports it. Never rejects. */
  askRouter(gateway: string): Promise<number | undefined>;
  pathTo(address: Uint8Array): NetworkPath | { readonly problem: string };
  ping(options: PingOptions): Promise<EchoReply[]>;
  /** Tries a TCP connection from a certain source address. Never rejects. */
  connectFrom(attempt: ConnectAttempt): Promise<ConnectResult>;
  sockets(): readonly ListeningSocket[];
  ownSockets(): ReadonlySet<number>;
  socketOwner(socket: ListeningSocket): Promise<Text>;
  neighbours(): Promise<readonly Neighbour[]>;
  clock(): ClockState;
  /** The firewall rules, without the contents of named sets. */
  firewall(): Promise<FirewallState>;
  /** Throws when the directory cannot be read. */
  disk(directory: string): Promise<DiskState>;
  /** Asks one of these servers ("192.0.2.53:53", "[2001:db8::53]:53"). Never rejects. */
  lookUp(servers: readonly string[], name: string, type: 'A' | 'AAAA' | 'NS' | 'PTR'): Promise<Lookup>;
}

const LOOKUP_TIMEOUT_MS = 1500;
const LOOKUP_TRIES = 2;

/** This machine. */
export const linuxMachine: Machine = {
  hostname,
  read,
  list: (path) => readdir(path).catch(() => []),
  interfaces,
  gateways: defaultRoutes,
  sourceIpv4: defaultSourceIpv4,
  own: readOwn,
  askRouter: (gateway) => askRouter(gateway),
  pathTo,
  ping,
  connectFrom,
  sockets: listeningSockets,
  ownSockets: ownSocketInodes,
  socketOwner,
  neighbours: ipv6Neighbours,
  clock: clockState,
  firewall,
  disk,
  lookUp,
};

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

async function interfaces(): Promise<InterfaceState[]> {
  const addressed = interfaceAddresses();
  const names = (await readdir('/sys/class/net')).filter((name) => name !== 'lo').sort();
  const all = names.map(async (name) => {
    const field = (file: string) => read(`/sys/class/net/${name}/${file}`);
    const [state, mac, mtu, index] = await Promise.all(['operstate', 'address', 'mtu', 'ifindex'].map(field));
    return {
      name,
      index: Number(index),
      // TUN devices and some drivers report no state: "unknown" counts as in use.
      isUp: state === 'up' || state === 'unknown',
      mac: mac === undefined || mac === '' || /^[0:]+$/.test(mac) ? undefined : mac,
      mtuBytes: Number(mtu),
      addresses: (addressed[name] ?? []).map(({ address, cidr }) => ({
        address,
        prefixBits: Number(cidr?.split('/')[1]),
      })),
    };
  });
  // An interface may disappear while it is read.
  return (await Promise.all(all)).filter(({ mtuBytes }) => mtuBytes > 0);
}

async function firewall(): Promise<FirewallState> {
  const run = (program: string, ...args: string[]) => runCommand(program, args).catch(() => undefined);
  const legacy = [
    ['/proc/net/ip_tables_names', 'iptables-legacy'],
    ['/proc/net/ip6_tables_names', 'ip6tables-legacy'],
  ].map(async ([tables, program]) => {
    // The legacy tables are created by the first program that asks for them, so a read-only check must not ask.
    const names = (await read(tables)) ?? '';
    return names.split('\n').includes('filter') ? await run(program, '-S') : undefined;
  });
  const [nftables, ...found] = await Promise.all([run('nft', '-j', '-t', 'list', 'ruleset'), ...legacy]);
  return { nftables, legacy: found.filter((text) => text !== undefined) };
}

async function disk(directory: string): Promise<DiskState> {
  const [space, { dev }] = await Promise.all([statfs(directory), stat(directory)]);
  // The inverse of makedev(3).
  const major = (dev >>> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  const link = await readlink(`/sys/dev/block/${major}:${minor}`).catch(() => undefined);
  const refusal = await access(directory, constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  return {
    totalBytes: space.blocks * space.bsize,
    freeBytes: space.bavail * space.bsize,
    totalFiles: space.files,
    freeFiles: space.ffree,
    isWritable: refusal === undefined,
    device: link === undefined ? undefined : basename(link),
  };
}

async function lookUp(
  servers: readonly string[],
  name: string,
  type: 'A' | 'AAAA' | 'NS' | 'PTR',
): Promise<Lookup> {
  const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS, tries: LOOKUP_TRIES });
  try {
    resolver.setServers(servers);
    return { kind: 'found', values: (await resolver.resolve(name, type)) as string[] };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENODATA' || code === 'ENOTFOUND') return { kind: 'none' };
    return { kind: 'failed', reason: LOOKUP_FAILURES[code] ?? asIs(code) };
  }
}

export const REFUSED: Text = say('it refuses to answer us (REFUSED)');

const LOOKUP_FAILURES: Readonly<Record<string, Text>> = {
  ETIMEOUT: say('it does not answer'),
  ECONNREFUSED: say('nothing listens there, or there is no route to it'),
  EREFUSED: REFUSED,
  ESERVFAIL: say('it could not resolve the name (SERVFAIL)'),
  EFORMERR: say('it did not understand the query (FORMERR)'),
  ENOTIMP: say('it does not know this kind of query (NOTIMP)'),
  EBADRESP: say('its answer is not DNS'),
};
