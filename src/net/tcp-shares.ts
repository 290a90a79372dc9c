/** The query of every service over the TCP engine: who holds how much of its connections, and who was refused at a limit. */
import type { CounterTable } from '../runtime/counters.ts';
import { type Text, asIs } from '../texts/text.ts';
import { readHolders } from './holders.ts';
import type { TcpSharesAnswer } from './shares-answer.ts';

export interface TcpShares extends Pick<TcpSharesAnswer, 'maxConnections' | 'clients'> {
  /** `explanation` is translated where it is shown. */
  readonly refused: readonly (Omit<TcpSharesAnswer['refused'][number], 'explanation'> & {
    readonly explanation: Text;
  })[];
}

export interface TcpQueries {
  shares(): TcpShares;
}

export function readShares(
  buffers: readonly SharedArrayBuffer[],
  counterTable: CounterTable,
  maxConnections: number,
): TcpShares {
  const { holders, refused } = readHolders(...buffers);
  const counters = Object.entries(counterTable);
  return {
    maxConnections,
    clients: holders,
    refused: refused.map(({ client, count, counter: position, lastMs }) => {
      const [counter, explanation] = counters[position];
      return { client, count, counter, explanation: asIs(explanation), lastMs };
    }),
  };
}
