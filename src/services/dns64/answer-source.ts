/** The main thread's answers: from its own cache if the worker's cache does not have them (any more), otherwise from the resolver. */
import { randomInt } from 'node:crypto';
import { createHeldShares, giveBack, hold } from '../../net/held-shares.ts';
import { type Client, clientAt, createClient, readClient } from '../../net/client.ts';
import { resolversOf } from '../../config/resolvers.ts';
import type { DnsUpstream } from '../../config/values.ts';
import type { Counters } from '../../runtime/counters.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { HEADER_BYTES, MAX_MESSAGE_BYTES, RCODE_MASK, Rcode, uint16At } from '../../wire/dns-message.ts';
import { newQuery, readQuery } from '../../wire/dns-query.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { ADMIT, DROP, admitQuery } from './admit.ts';
import { type Answer, udpLimit, variantOf, writeError, writeReply } from './answer.ts';
import { AnswerCache } from './cache.ts';
import type { Dns64Counters } from './counters.ts';
import type { QueryLog, AnsweredQuery } from './events.ts';
import { type Memory, newMemory } from './memory.ts';
import { MAX_IN_FLIGHT, createResolver } from './resolve.ts';
import { type Upstreams, createUpstreams } from '../../net/dns-upstreams.ts';

/** Queries of all clients that may wait for an answer at the same time, even if they ask the same few questions. */
export const MAX_WAITING = 1024;

export interface AnswerSourceOptions {
  readonly upstreams: readonly string[];
  /** Whether an upstream is this resolver itself. */
  readonly isOurs: (target: DnsUpstream) => boolean;
  readonly pref64: readonly IpPrefix[];
  readonly cacheEntries: number;
  readonly counters: Counters<Dns64Counters>;
  /** Cancels everything in progress. */
  readonly signal: AbortSignal;
  /** Answers for the worker's cache. */
  readonly onAnswers: (answers: readonly Answer[]) => void;
  readonly queryLog: Pick<QueryLog, 'record'>;
}

/** The client: a sockaddr for a datagram, text for a connection. */
export type Asker = Uint8Array | string;

export interface AnswerSource {
  readonly cacheEntries: number;
  readonly inFlight: number;
  /** Queries that wait. */
  readonly waiting: number;
  upstreams(): ReturnType<Upstreams['status']>;
  /** The reply to a query that the worker has admitted and counted; undefined when it is dropped. Never rejects. */
  answerDatagram(message: Uint8Array, client: Uint8Array): Promise<Uint8Array | undefined>;
  /** The reply to a message that arrived over TCP; undefined when none is possible. Never rejects. */
  answerStream(message: Uint8Array, client: string): Promise<Uint8Array | undefined>;
  /** Lets queries in progress finish, but passes nothing more to the worker: the configuration has changed. */
  retire(): void;
}

function whoAsks(client: Asker): Client {
  if (typeof client === 'string') return clientAt(parseIpAddress(client) ?? new Uint8Array(16));
  const who = createClient();
  readClient(who, client);
  return who;
}

const nowSeconds = () => Math.floor(performance.now() / 1000);

export function createAnswerSource(options: AnswerSourceOptions): AnswerSource {
  const { counters } = options;
  const { values, index } = counters;
  const { signal } = options;
  const upstreams = createUpstreams(resolversOf(options.upstreams), counters, signal, options.isOurs);
  const resolver = createResolver({ upstreams, pref64: options.pref64, counters });
  const cache = new AnswerCache(options.cacheEntries);
  /** Buffer in which replies are made; its content is not used after the call. */
  const workspace = newMemory(MAX_MESSAGE_BYTES + 4);
  const waiting = createHeldShares(MAX_WAITING, randomInt(2 ** 32));
  const outbox = createOutbox(options.onAnswers);

  async function answer(message: Uint8Array, client: Asker): Promise<Uint8Array | undefined> {
    const startedMs = performance.now();
    const overUdp = typeof client !== 'string';
    const query = newQuery();
    const kind = readQuery(message, 0, message.length, query);
    // For UDP, the worker has already checked and counted the query.
    const verdict = overUdp ? ADMIT : admitQuery(kind, query, counters);
    if (verdict === DROP) return undefined;
    const reply = (write: (target: Memory) => number): Uint8Array => {
      workspace.bytes.set(message);
      return workspace.bytes.slice(0, write(workspace));
    };
    const logAnswer = (answer: AnsweredQuery['answer'], rcode: number) =>
      options.queryLog.record({
        client,
        name: query.questionEnd === 0 ? undefined : message.subarray(HEADER_BYTES, query.questionEnd - 4),
        type: query.questionEnd === 0 ? 0 : uint16At(message, query.questionEnd - 4),
        transport: overUdp ? 'udp' : 'tcp',
        answer,
        rcode,
        durationMs: performance.now() - startedMs,
      });
    if (verdict !== ADMIT) {
      logAnswer(verdict === Rcode.REFUSED ? 'refused' : 'malformed', verdict);
      return reply(({ bytes }) => writeError(bytes, 0, query, verdict));
    }

    const limit = overUdp ? udpLimit(query) : MAX_MESSAGE_BYTES;
    const variant = variantOf(query.dnssecOk, query.flags);
    workspace.bytes.set(message);
    const entry = cache.find(workspace, 0, query.nameBytes, query.type, variant, nowSeconds());
    if (entry !== -1) {
      values[index.hits]++;
      if (overUdp) outbox.put(cache.copy(entry, nowSeconds()));
      const age = nowSeconds() - cache.storedSeconds[entry];
      const [start, length, ttls] = [cache.start[entry], cache.messageBytes[entry], cache.ttlCount[entry]];
      if (overUdp && length > limit) values[index.truncated]++;
      logAnswer('cached', cache.memory.bytes[start * 4 + 3] & RCODE_MASK);
      return reply((target) => writeReply(target, 0, query, cache.memory, start, length, ttls, age, limit));
    }

    values[index.misses]++;
    const who = whoAsks(client);
    const place = hold(waiting, who);
    const resolving =
      place === 0
        ? undefined
        : resolver.resolve(
            {
              name: message.slice(HEADER_BYTES, HEADER_BYTES + query.nameBytes),
              type: query.type,
              class: query.class,
              dnssecOk: query.dnssecOk,
              flags: query.flags,
            },
            who,
          );
    if (resolving === undefined) {
      if (place !== 0) giveBack(waiting, place);
      const isFull = waiting.hosts.usedSlots === MAX_WAITING || resolver.inFlight >= MAX_IN_FLIGHT;
      values[index[isFull ? 'drop-overload' : 'drop-share']]++;
      return overUdp ? undefined : reply(({ bytes }) => writeError(bytes, 0, query, Rcode.SERVFAIL));
    }
    const found = await resolving.finally(() => giveBack(waiting, place));
    if (signal.aborted) return undefined;
    if (outbox.isNew(found)) {
      cache.insert(found, nowSeconds());
      outbox.put(found);
    }
    const source: Memory = { bytes: new Uint8Array(found.words.buffer), words: found.words };
    logAnswer(found.origin, source.bytes[3] & RCODE_MASK);
    if (overUdp && found.messageBytes > limit) values[index.truncated]++;
    return reply((target) =>
      writeReply(target, 0, query, source, 0, found.messageBytes, found.ttlCount, 0, limit),
    );
  }

  return {
    get cacheEntries() {
      return cache.size;
    },
    get inFlight() {
      return resolver.inFlight;
    },
    get waiting() {
      return waiting.hosts.usedSlots;
    },
    upstreams: () => upstreams.status(),
    answerDatagram: answer,
    answerStream: answer,
    retire: outbox.close,
  };
}

/** Answers for the worker: collects those of one turn of the event loop and sends them together. */
function createOutbox(onAnswers: (answers: readonly Answer[]) => void) {
  let unsent: Answer[] = [];
  let isClosed = false;
  const seen = new WeakSet<Answer>();
  return {
    put(answer: Answer): void {
      if (unsent.push(answer) > 1) return;
      setImmediate(() => {
        if (!isClosed) onAnswers(unsent);
        unsent = [];
      });
    },
    /** Whether an answer must be cached: only once, however many clients waited for it. */
    isNew(answer: Answer): boolean {
      if (answer.lifetimeSeconds === 0 || seen.has(answer)) return false;
      seen.add(answer);
      return true;
    },
    close: () => void (isClosed = true),
  };
}
