/** The state of one client's connection: requests are handled one after the other. */
import type { Connection } from '../../../net/connection.ts';
import { type MethodId, Method } from '../../../wire/http1/head.ts';
import { createBody, type Body } from './body.ts';
import type { Backend, HostTable } from '../host-table.ts';
import type { HttpListener } from './listener.ts';
import type { ServerConnection } from './server-connection.ts';

export const State = {
  /** Waits for a request, or for the rest of its head. */
  reading: 0,
  /** A request was sent, or is being sent, to a server. */
  exchanging: 1,
  /** The last answer is being sent; then the connection ends. */
  finishing: 2,
} as const;

export interface HttpClient {
  readonly connection: Connection;
  readonly listener: HttpListener;
  state: (typeof State)[keyof typeof State];
  /** How many requests were routed. */
  requests: number;
  /** Bytes that were read and not used yet: the beginning of a head, or requests that were sent ahead. */
  left: Uint8Array | null;
  /** `left` may hold a whole head. */
  mayParse: boolean;
  /** The fields that tell the server about the client. */
  readonly clientFields: Uint8Array;

  /** The host of the last request and its server, for the host table that they were found in. */
  table: HostTable | null;
  hostBytes: Uint8Array;
  host: string;
  backend: Backend | null;

  /** The connection to the server: of the request under way, or kept for this client (PROXY protocol). */
  server: ServerConnection | null;
  method: MethodId;
  isHttp10: boolean;
  /** The connection ends after this answer. */
  closes: boolean;
  /** The final head of the answer has arrived. */
  answered: boolean;
  /** The answer allows another request on the server's connection. */
  keepsServer: boolean;
  /** Of the answer's Keep-Alive field; -1 for none. */
  keepAliveSeconds: number;
  /** Sec-WebSocket-Key of a handshake; null for other requests. */
  key: string | null;
  /** The bytes of a request that may be sent again, while it is on a connection that was used before. */
  saved: Uint8Array | null;
  readonly request: Body;
  readonly answer: Body;
}

const NONE = new Uint8Array(0);

export const createHttpClient = (
  connection: Connection,
  listener: HttpListener,
  clientFields: Uint8Array,
): HttpClient => ({
  connection,
  listener,
  state: State.reading,
  requests: 0,
  left: null,
  mayParse: false,
  clientFields,
  table: null,
  hostBytes: NONE,
  host: '',
  backend: null,
  server: null,
  method: Method.other,
  isHttp10: false,
  closes: false,
  answered: false,
  keepsServer: false,
  keepAliveSeconds: -1,
  key: null,
  saved: null,
  request: createBody(),
  answer: createBody(),
});

export const clientOf = ({ conversation }: Connection): HttpClient => conversation as HttpClient;
