/** What the TCP engine counts, for every service that uses it. A service spreads this table into its own. */
import type { Counters } from '../runtime/counters.ts';

export const tcpCounterTable = {
  accepted: 'Connections accepted',
  'bytes-up': 'Bytes passed from clients to servers',
  'bytes-down': 'Bytes passed from servers to clients',
  'bytes-discarded': 'Bytes read and dropped: sent by a client after its request or its refusal',
  closed: 'Connections that both sides ended in order',
  'closed-reset': 'Connections ended by a reset, passed on to the other side',
  'closed-idle': 'Connections closed because they carried no data for the idle timeout',
  'closed-half-closed':
    'Connections closed because one side had ended, and the other one sent nothing for the timeout',
  'closed-early': 'Connections that the client ended before its server was known or reached',
  'refused-timeout':
    'Connections refused because the client took too long to send its request or ClientHello',
  'proxy-header': 'Connections whose trusted proxy told the address of the client in a PROXY header',
  'proxy-header-local':
    'Connections whose trusted proxy told in a PROXY header that there is no client, or that it is the client itself: mostly health checks',
  'proxy-probes': 'Connections that a trusted proxy ended before a PROXY header: mostly health checks',
  'refused-proxy-header':
    'Connections from trusted proxies that were reset, because they do not begin with a valid PROXY header',
  'refused-memory':
    'Connections ended because data sent before the server was known filled the memory, and their clients had the most of it',
  'refused-share': 'Connections refused at the limit: their clients had as many as any other client, or more',
  'refused-rate':
    'Connections refused because their clients opened too many in this second, while others waited, or more than configured',
  'refused-client-limit': 'Connections refused because their clients had as many as configured',
  'refused-server-share':
    'Connections ended because their server had its share of the connections, or as many as configured',
  displaced: 'Connections ended at the limit for another client: their clients had the most',
  'mapped-fallback':
    'Connections made from the address of the appliance, because the answers of the server to the mapped address of the client do not come back',
  'server-refused': 'Connections ended because the server refused the connection',
  'server-unreachable': 'Connections ended because no route led to the server',
  'server-timeout': 'Connections ended because the server did not answer in time',
  'server-no-socket': 'Connections ended because no descriptor or port was left to reach the server',
  'server-ourselves': 'Connections ended because the address of the server is one of this appliance itself',
  'server-next-address': 'Times that another address of a server was tried, because one did not answer',
  'accept-failed': 'Connections that ended before they could be accepted',
  'accept-paused-descriptors': 'Times accepting paused because no file descriptor or memory was left',
  'accept-paused-limit': 'Times accepting paused because the limit of connections was reached',
  'access-log-lost': 'Lines of the access log that were lost, because they came faster than they were read',
} as const;

/** The counters of the engine within the service's own block. */
export interface TcpCounters {
  readonly values: Float64Array;
  readonly index: { readonly [Name in keyof typeof tcpCounterTable]: number };
}

/** Current figures, written by the worker: zero when it starts. */
export const tcpGaugeTable = {
  connections: 'Connections now open',
  openings: 'Connections whose server is not known or reached yet',
  pipes: 'Pipes in existence',
} as const;

/** Figures in the status of a service that uses this engine. */
export const tcpFigures = {
  connections: tcpGaugeTable.connections,
  openings: tcpGaugeTable.openings,
  pipes: tcpGaugeTable.pipes,
  workers: 'Worker threads',
  listeners: 'Listening sockets',
  maxConnections: 'The most connections that may be open',
} as const;

export type TcpGauges = Counters<typeof tcpGaugeTable>;
