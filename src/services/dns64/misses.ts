/** Queries that the worker's cache could not answer: each is answered here, and leaves from the socket that it came to. */
import type { Counters } from '../../runtime/counters.ts';
import type { AnswerSource } from './answer-source.ts';
import type { Dns64Counters } from './counters.ts';
import { datagramSender } from './datagrams.ts';
import type { Miss, UdpSocket } from './messages.ts';

export interface MissesOptions {
  readonly counters: Counters<Dns64Counters>;
  /** What is in force when it is asked for. */
  readonly source: () => Pick<AnswerSource, 'answerDatagram'>;
  readonly sockets: () => readonly UdpSocket[];
}

export interface Misses {
  /** A new worker waits for nothing that the one before had asked: a new number of what is outstanding, to hand to it. */
  forget(): SharedArrayBuffer;
  answer(misses: readonly Miss[]): void;
  /** Resolves when what is under way has been answered. */
  settled(): Promise<unknown>;
}

export function createMisses({ counters, source, sockets }: MissesOptions): Misses {
  const underWay = new Set<Promise<void>>();
  const sendDatagram = datagramSender();
  let outstanding = new Int32Array(new SharedArrayBuffer(4));

  async function answerMiss(miss: Miss, ledger: Int32Array): Promise<void> {
    const reply = await source().answerDatagram(miss.query, miss.source);
    Atomics.sub(ledger, 0, 1);
    // Looked up only now: the socket may have been closed, and its descriptor's number given to another.
    const udp = sockets();
    // Another of its family serves as well: the control message has the address that was asked.
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
