/**
 * Queries that the worker's cache could not answer: they are answered here, and the reply leaves from the socket on which the
 * query arrived.
 */
import type { Counters } from '../../runtime/counters.ts';
import type { AnswerSource } from './answer-source.ts';
import type { Dns64Counters } from './counters.ts';
import { datagramSender } from './datagrams.ts';
import type { Miss, UdpSocket } from './messages.ts';

export interface MissesOptions {
  readonly counters: Counters<Dns64Counters>;
  /** The current value when it is read. */
  readonly source: () => Pick<AnswerSource, 'answerDatagram'>;
  readonly sockets: () => readonly UdpSocket[];
}

export interface Misses {
  /** For a new worker: starts a new counter of outstanding misses, so that it does not wait for those of the previous worker. */
  forget(): SharedArrayBuffer;
  answer(misses: readonly Miss[]): void;
  /** Resolves when everything in progress has been answered. */
  settled(): Promise<unknown>;
}

export function createMisses({ counters, source, sockets }: MissesOptions): Misses {
  const underWay = new Set<Promise<void>>();
  const sendDatagram = datagramSender();
  let outstanding = new Int32Array(new SharedArrayBuffer(4));

  async function answerMiss(miss: Miss, ledger: Int32Array): Promise<void> {
    const reply = await source().answerDatagram(miss.query, miss.source);
    Atomics.sub(ledger, 0, 1);
    // Look it up only now: the socket may have been closed meanwhile, and the number of its descriptor reused.
    const udp = sockets();
    // Another socket of the same family works too: the control message contains the address that the client asked.
    const { fd } =
      udp.find(({ id }) => id === miss.socket) ??
      udp.find(({ sockaddrBytes }) => sockaddrBytes === miss.source.length) ??
      {};
    if (reply === undefined || fd === undefined) return;
    if (!sendDatagram(fd, reply, miss.source, miss.control)) counters.values[counters.index['drop-send']]++;
  }

  return {
    forget() {
      const buffer = new SharedArrayBuffer(4);
      outstanding = new Int32Array(buffer);
      return buffer;
    },
    answer(misses) {
      for (const miss of misses) {
        const answer = answerMiss(miss, outstanding).finally(() => underWay.delete(answer));
        underWay.add(answer);
      }
    },
    settled: () => Promise.allSettled(underWay),
  };
}
