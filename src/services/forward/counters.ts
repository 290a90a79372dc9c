/** The counters of the forwarder: those of the engine, and one for each reason of refusal. */
import { tcpCounterTable } from '../../net/counters.ts';

export const forwardCounterTable = {
  ...tcpCounterTable,
  'refused-not-allowed': 'The access list of the server does not have the client (reset)',
  'refused-maintenance': 'The server is in maintenance (reset)',
} as const;
