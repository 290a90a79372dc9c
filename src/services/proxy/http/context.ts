/** What the connections of an HTTP listener share. */
import type { SourceOf } from '../../../net/mapped-source.ts';
import type { ProxyCounterIndex } from '../counters.ts';
import type { Backend, HostTable } from '../host-table.ts';
import type { ServerPool } from './server-connection.ts';

export interface HttpContext {
  readonly index: ProxyCounterIndex;
  /** Of the present configuration. */
  readonly table: HostTable;
  /** How long a server may take to begin its answer. */
  readonly responseTimeoutMs: number;
  /** Where connections to servers with `clientAddress` "mapped" come from. */
  readonly sourceOf: SourceOf;
  /** The listener is not configured any more: connections end after what they are doing. */
  readonly isRetired: boolean;
  /** The idle connections to a server. */
  poolOf(backend: Backend): ServerPool;
}
