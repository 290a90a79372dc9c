/** The messages between the main thread and the worker. All are structured-cloneable. */
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import type { Answer } from './answer.ts';

/** A bound UDP socket. The main thread owns the descriptor. */
export interface UdpSocket {
  /** Never reused, unlike the number of the descriptor. */
  readonly id: number;
  readonly fd: number;
  readonly isIpv6: boolean;
  /** Size of a sockaddr of its family. */
  readonly sockaddrBytes: number;
}

export interface WorkerInit {
  readonly sockets: readonly UdpSocket[];
  readonly generation: number;
  readonly allow: readonly IpPrefix[];
  readonly cacheEntries: number;
  readonly counters: SharedArrayBuffer;
  /** One int32: the misses that the main thread has not finished. */
  readonly outstanding: SharedArrayBuffer;
  /** The ring of `createDnsEventRing`. */
  readonly events: SharedArrayBuffer;
}

/** A query that the cache could not answer, and the destination of its reply. */
export interface Miss {
  /** UdpSocket.id */
  readonly socket: number;
  /** The client's sockaddr. */
  readonly source: Uint8Array;
  /** The control message that makes the reply leave from the address that the client asked. */
  readonly control: Uint8Array;
  readonly query: Uint8Array;
}

export type ToDnsWorker =
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] }
  | { readonly kind: 'sockets'; readonly sockets: readonly UdpSocket[]; readonly generation: number }
  | { readonly kind: 'access'; readonly allow: readonly IpPrefix[] }
  | { readonly kind: 'flush'; readonly cacheEntries?: number };

export type FromDnsWorker =
  | { readonly kind: 'misses'; readonly misses: readonly Miss[] }
  /** The list of sockets with this generation is in use. Earlier lists are not used any more, so their sockets may be closed. */
  | { readonly kind: 'listening'; readonly generation: number };
