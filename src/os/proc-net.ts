/** Tables under /proc/net: sockets and routes of the network namespace that this process is in. Parsers are pure. */
import { readFileSync } from 'node:fs';
import { formatIpAddress, mapIpv4, mappedIpv4 } from '../wire/ip-address.ts';

export interface Gateway {
  readonly address: string;
  readonly interface: string;
  /** The route with the smallest metric is used. */
  readonly metric: number;
}

const RTF_UP = 1;
const RTF_GATEWAY = 2;

/** The default routes with a gateway in /proc/net/route, best first. */
export const parseIpv4DefaultRoutes = (text: string): Gateway[] =>
  rows(text, 1)
    .filter(([, destination, , flags, , , , mask]) => isZero(destination) && isZero(mask) && isGateway(flags))
    .map(([name, , gateway, , , , metric]) => ({
      address: formatIpAddress(mapIpv4(Buffer.from(gateway, 'hex').readUInt32LE())),
      interface: name,
      metric: Number(metric),
    }))
    .sort((a, b) => a.metric - b.metric);

/** The default routes with a gateway in /proc/net/ipv6_route (whose last column is the interface), best first. */
export const parseIpv6DefaultRoutes = (text: string): Gateway[] =>
  rows(text, 0)
    .filter(
      ([destination, bits, , , , , , , flags]) => isZero(destination) && bits === '00' && isGateway(flags),
    )
    .map((columns) => ({
      address: formatIpAddress(Buffer.from(columns[4], 'hex')),
      interface: columns[9],
      metric: Number.parseInt(columns[5], 16),
    }))
    .sort((a, b) => a.metric - b.metric);

/** A socket that waits for connections (TCP) or for datagrams from any sender (UDP). */
export interface ListeningSocket {
  readonly protocol: 'tcp' | 'udp';
  /** 16 bytes, IPv4 in its mapped form; zero where it takes every address of its family. */
  readonly address: Uint8Array;
  readonly isIpv6: boolean;
  readonly port: number;
  readonly userId: number;
  readonly inode: number;
}

/** Whether a socket keeps an address and port from being bound. A socket on "::" also takes IPv4, unless it was set to IPv6 only. */
export function isInTheWay(
  socket: ListeningSocket,
  wanted: Pick<ListeningSocket, 'protocol' | 'address' | 'port'>,
): boolean {
  if (socket.protocol !== wanted.protocol || socket.port !== wanted.port) return false;
  const isIpv6 = mappedIpv4(wanted.address) === undefined;
  if (socket.isIpv6 !== isIpv6) return socket.isIpv6 && isUnspecified(socket.address);
  return (
    isUnspecified(socket.address) ||
    isUnspecified(wanted.address) ||
    socket.address.every((byte, i) => byte === wanted.address[i])
  );
}

const isUnspecified = (address: Uint8Array) =>
  mappedIpv4(address) === 0 || address.every((byte) => byte === 0);

const LISTENING = { tcp: '0A', udp: '07' };

/** The listening sockets of /proc/net/tcp, tcp6, udp or udp6. */
export const parseListeningSockets = (
  text: string,
  protocol: 'tcp' | 'udp',
  isIpv6: boolean,
): ListeningSocket[] =>
  rows(text, 1)
    .filter((columns) => columns[3] === LISTENING[protocol])
    .map((columns) => {
      const [address, port] = columns[1].split(':');
      return {
        protocol,
        address: addressOf(address),
        isIpv6,
        port: Number.parseInt(port, 16),
        userId: Number(columns[7]),
        inode: Number(columns[9]),
      };
    });

const TIME_WAIT = '06';

/** The local addresses (16 bytes) of the connections in /proc/net/tcp6: without those that only wait for late segments. */
export const parseLocalEnds = (text: string): Uint8Array[] =>
  rows(text, 1)
    .filter(([, , , state]) => state !== LISTENING.tcp && state !== TIME_WAIT)
    .map(([, local]) => addressOf(local.split(':')[0]));

/** 32-bit words in the machine's order, which is little-endian. */
function addressOf(hex: string): Uint8Array {
  const words = Buffer.from(hex, 'hex').swap32();
  return words.length === 4 ? mapIpv4(words.readUInt32BE()) : new Uint8Array(words);
}

const rows = (text: string, headings: number): string[][] =>
  text
    .split('\n')
    .slice(headings)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));

const isZero = (hex: string) => /^0+$/.test(hex);

function isGateway(flags: string): boolean {
  const wanted = RTF_UP | RTF_GATEWAY;
  return (Number.parseInt(flags, 16) & wanted) === wanted;
}

/** Missing tables (a kernel without IPv6) count as empty. */
function readTable(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

export const defaultRoutes = (family: 4 | 6): Gateway[] =>
  family === 4 ? parseIpv4DefaultRoutes(readTable('route')) : parseIpv6DefaultRoutes(readTable('ipv6_route'));

export const localEndsOfIpv6 = (): Uint8Array[] => parseLocalEnds(readTable('tcp6'));

export const listeningSockets = (): ListeningSocket[] => [
  ...parseListeningSockets(readTable('tcp'), 'tcp', false),
  ...parseListeningSockets(readTable('tcp6'), 'tcp', true),
  ...parseListeningSockets(readTable('udp'), 'udp', false),
  ...parseListeningSockets(readTable('udp6'), 'udp', true),
];
