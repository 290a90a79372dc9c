/** What the forwarder counts: every connection is routed by its port alone, so the engine's counters are all. */
import { tcpCounterTable } from '../../net/counters.ts';

export const forwardCounterTable = tcpCounterTable;
