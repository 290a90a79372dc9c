/** The first bytes for a server: a PROXY header if the server wants one, then the bytes from the client. */
import { Buffer } from 'node:buffer'; // the global is a getter
import type { Arrival } from '../../net/gate.ts';
import { localOf } from '../../net/local-end.ts';
import { randomWord } from '../../os/random.ts';
import type { SocketAddress } from '../../os/socket-address.ts';
import { encodeProxyV1, encodeProxyV2 } from '../../wire/proxy-protocol.ts';
import type { Backend } from './host-table.ts';

/** Who the client at a descriptor is. */
export type PeerOf = (fd: number) => SocketAddress | undefined;

/** The client of a connection, and what it wants. */
export interface Asking {
  readonly fd: number;
  readonly arrival: Arrival;
  /** undefined if the client has gone. */
  readonly address: SocketAddress | undefined;
  /** The name that it asks for. */
  readonly authority: string | undefined;
  /** The protocol that it speaks; null if it is not known. */
  readonly protocol: Uint8Array | null;
}

const NONE = new Uint8Array(0);

/** A copy of `opening` after the header; undefined when the server is to see the client's address, but the client has gone. */
export function buildPreamble(
  { clientAddress }: Backend,
  asking: Asking,
  opening: Uint8Array,
): Uint8Array | undefined {
  const { address } = asking;
  if (clientAddress !== 'none' && address === undefined) return undefined;
  const isTold = clientAddress === 'proxy-v1' || clientAddress === 'proxy-v2';
  const header = isTold ? headerFor(asking, address!, clientAddress) : NONE;
  if (header === undefined) return undefined;
  // Buffer takes short copies from a slab, which is far cheaper than one ArrayBuffer each.
  const preamble = Buffer.allocUnsafe(header.length + opening.length);
  preamble.set(header);
  preamble.set(opening, header.length);
  return preamble;
}

function headerFor(
  { fd, arrival, authority, protocol }: Asking,
  source: SocketAddress,
  version: 'proxy-v1' | 'proxy-v2',
): Uint8Array | undefined {
  const destination = arrival.destination ?? localOf(fd);
  if (destination === undefined) return undefined;
  if (version === 'proxy-v1') return encodeProxyV1(source, destination);
  // A trusted proxy before us may have given it one: then all logs have the same.
  arrival.uniqueId ??= createUniqueId(arrival.number);
  return encodeProxyV2(source, destination, { protocol, authority, uniqueId: arrival.uniqueId });
}

/** Tells the connections of this thread from those of others and of later ones, which count from 1 again. */
const THREAD = randomWord();

/** 16 hexadecimal digits. */
const createUniqueId = (number: number): Uint8Array => Buffer.from(`${hex(THREAD)}${hex(number)}`, 'latin1');

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
