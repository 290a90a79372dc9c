/** The counters of the forwarder. It routes every connection by its port alone, so the engine's counters are sufficient. */
import { tcpCounterTable } from '../../net/counters.ts';

export const forwardCounterTable = tcpCounterTable;
