/** The state of one client's connection: its requests are handled one after the other. */
import type { Connection } from '../../../net/connection.ts';
import { Method, type MethodId } from '../../../wire/http1/head.ts';
import type { SocketAddress } from '../../../os/socket-address.ts';
import type { Backend, HostTable } from '../host-table.ts';
import { type Body, createBody } from './body.ts';
import type { HttpContext } from './context.ts';
import type { ServerConnection } from './server-connection.ts';

export const State = {
  /** Waits for a request, or for the rest of its head. */
  reading: 0,
  /** A request is at a server. */
  exchanging: 1,
  /** The last answer is being sent; then the connection ends. */
  finishing: 2,
} as const;

export interface HttpClient {
  readonly connection: Connection;
  readonly context: HttpContext;
  readonly address: SocketAddress;
  /** The fields that tell a server about the client. */
  readonly clientFields: Uint8Array;
  state: (typeof State)[keyof typeof State];
  /** How many requests were routed. */
  requests: number;
  /** Bytes that were read and not used yet: the beginning of a head, or requests that were sent ahead. */
  left: Uint8Array | null;
  /** `left` may begin with a whole head. */
  mayParse: boolean;

  /** The host of the last request and its server, in the host table in which it was found. */
  table: HostTable | null;
  host: string;
  backend: Backend | null;

  /** The connection to the server: of the request under way, or kept for this client alone (PROXY protocol). */
  server: ServerConnection | null;
  method: MethodId;
  isHttp10: boolean;
  /** The client has said that it sends no further request. */
  isLast: boolean;
  /** The connection ends after this answer. */
  closes: boolean;
  /** The final head of the answer has arrived. */
  answered: boolean;
  /** The request was sent as the last one on the server's connection. */
  endsServer: boolean;
  /** The answer allows another request on the server's connection. */
  keepsServer: boolean;
  /** Of the answer's Keep-Alive field; -1 for none. */
  keepAliveSeconds: number;
  /** Sec-WebSocket-Key of a handshake; undefined for other requests. */
  key: string | undefined;
  /** The size of the request if it may be sent again, on a connection that was used before; 0 if not (saved.ts). */
  savedBytes: number;
  /** The request, if it has no place in the buffer. */
  savedApart: Uint8Array | null;
  readonly request: Body;
  readonly answer: Body;
}

export const createHttpClient = (
  connection: Connection,
  context: HttpContext,
  address: SocketAddress,
  clientFields: Uint8Array,
): HttpClient => ({
  connection,
  context,
  address,
  clientFields,
  state: State.reading,
  requests: 0,
  left: null,
  mayParse: false,
  table: null,
  host: '',
  backend: null,
  server: null,
  method: Method.other,
  isHttp10: false,
  isLast: false,
  closes: false,
  answered: false,
  endsServer: false,
  keepsServer: false,
  keepAliveSeconds: -1,
  key: undefined,
  savedBytes: 0,
  savedApart: null,
  request: createBody(),
  answer: createBody(),
});

export const clientOf = ({ conversation }: Connection): HttpClient => conversation as HttpClient;
