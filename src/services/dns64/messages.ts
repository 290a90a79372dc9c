/** What the main thread and the worker say to each other. Everything is structured-cloneable. */
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import type { Answer } from './answer.ts';

/** A bound UDP socket. The main thread owns the descriptor. */
export interface UdpSocket {
  /** Never used twice, unlike the descriptor's number. */
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
  /** One int32: misses that the main thread has not finished. */
  readonly outstanding: SharedArrayBuffer;
  /** The ring of `createDnsEventRing`. */
  readonly events: SharedArrayBuffer;
}

/** A query that the cache could not answer, and where its reply must go. */
export interface Miss {
  /** UdpSocket.id */
  readonly socket: number;
  /** The client's sockaddr. */
  readonly source: Uint8Array;
  /** The control message that makes the reply leave from the address that was asked. */
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
  /** The list of sockets with this generation is in use, earlier ones no more: they may be closed. */
  | { readonly kind: 'listening'; readonly generation: number };
