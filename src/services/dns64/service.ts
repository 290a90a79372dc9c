/**
 * The DNS64 resolver. A worker thread answers UDP from its cache; the main thread does everything else. The sockets belong to
 * the main thread: while a dead worker is replaced, queries wait in the socket.
 */
import type { Dns64Config } from '../../config/schema.ts';
import { attachedPrefixes, resolveAccessList } from '../../os/interfaces.ts';
import { type Seen, followSeen } from '../../os/seen.ts';
import { createCounters, readCounters } from '../../runtime/counters.ts';
import { orAborted } from '../../runtime/drain.ts';
import type { Limit } from '../../runtime/limits.ts';
import type { ServiceStatus } from '../../runtime/report.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { type SupervisedWorker, superviseWorker } from '../../runtime/supervise-worker.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { type AnswerSource, MAX_WAITING, createAnswerSource } from './answer-source.ts';
import { DNS64_COUNTERS } from './counters.ts';
import { datagramSender } from './datagrams.ts';
import { createQueryLog } from './events.ts';
import { type Endpoints, openEndpoints } from './endpoints.ts';
import type { FromDnsWorker, Miss, ToDnsWorker, WorkerInit } from './messages.ts';
import { MAX_IN_FLIGHT } from './resolve.ts';
import { MAX_CONNECTIONS, createStreamServer } from './stream.ts';
import { type Trouble, isLoop } from './upstreams.ts';
import type { DnsUpstream } from '../../config/values.ts';
import { type Text, say, sentences } from '../../texts/text.ts';

export interface Dns64Options {
  readonly dns64: Dns64Config;
}

const SEE_QUERIES = say(
  'Upstreams answer slowly, or one client asks for much: see in the timeline which. It is the first to get no more.',
);

/** How often "lan" in the access list is resolved again, even if no address has changed: the length of a prefix may have changed. */
const ACCESS_REFRESH_MS = 10_000;

/**
 * Starts the resolver, or a disabled one that only waits for `reconfigure`. Sockets that cannot be opened are reported and
 * retried. A failed start leaves nothing behind.
 */
export async function startDns64(
  options: Dns64Options,
  context: ServiceContext,
): Promise<Service<Dns64Options>> {
  let running = options.dns64.enabled ? await startResolver(options.dns64, context) : undefined;
  return {
    name: 'dns64',
    counterTable: DNS64_COUNTERS,
    async reconfigure({ dns64 }) {
      if (!dns64.enabled) {
        await running?.stop();
        running = undefined;
      } else if (running === undefined) {
        running = await startResolver(dns64, context);
      } else {
        await running.reconfigure(dns64);
      }
    },
    status: () => running?.status() ?? { state: 'disabled', restarts: 0, figures: {} },
    limits: () => running?.limits() ?? [],
    counters: () => running?.counters() ?? readCounters(createCounters(DNS64_COUNTERS)),
    drain: async (signal) => running?.drain(signal),
    failWorker: () => running?.failWorker(),
    async [Symbol.asyncDispose]() {
      await running?.stop();
      running = undefined;
    },
  };
}

interface RunningResolver {
  reconfigure(config: Dns64Config): Promise<void>;
  status(): ServiceStatus;
  counters(): Readonly<Record<string, number>>;
  limits(): readonly Limit[];
  drain(signal: AbortSignal): Promise<void>;
  failWorker(): void;
  stop(): Promise<void>;
}

const accessKey = (prefixes: readonly IpPrefix[]): string => prefixes.map(formatIpPrefix).sort().join(' ');

async function startResolver(initial: Dns64Config, context: ServiceContext): Promise<RunningResolver> {
  const log = context.log.child({ service: 'dns64' });
  let config = initial;
  /** The networks that "lan" means now. */
  let networks: Seen = new Map();
  function attached(): IpPrefix[] {
    networks = followSeen(attachedPrefixes().map(formatIpPrefix), networks, performance.now());
    return [...networks.keys()].map((text) => parseIpPrefix(text)!);
  }
  let allow = resolveAccessList(config.allow, attached);
  let endpoints: Endpoints | undefined;
  /** Answers to datagrams that are in progress. */
  const underWay = new Set<Promise<void>>();
  let outstanding = new Int32Array(new SharedArrayBuffer(4));
  let worker: SupervisedWorker<ToDnsWorker> | undefined;

  const aborter = new AbortController();
  const counters = createCounters(DNS64_COUNTERS);
  const queryLog = createQueryLog(context.events, config.queryLog);
  const workerCounters = createCounters(DNS64_COUNTERS);
  const sendDatagram = datagramSender();
  const toAnswerOptions = (from: Dns64Config) => ({
    upstreams: from.upstreams,
    isOurs: (target: DnsUpstream) => isLoop(context.ourselves.current, config, target),
    pref64: from.prefixes.flatMap((text) => parseIpPrefix(text) ?? []),
    cacheEntries: from.cacheEntries,
    counters,
    signal: aborter.signal,
    queryLog,
    onAnswers: (answers: Extract<ToDnsWorker, { kind: 'answers' }>['answers']) =>
      worker?.send({ kind: 'answers', answers }),
  });
  let source: AnswerSource = createAnswerSource(toAnswerOptions(config));
  const streams = createStreamServer({
    answer: (message, client) => source.answerStream(message, client),
    counters,
    allow: () => allow,
  });

  async function answerMiss(miss: Miss, ledger: Int32Array): Promise<void> {
    const reply = await source.answerDatagram(miss.query, miss.source);
    Atomics.sub(ledger, 0, 1);
    // Look it up only now: the socket may have been closed meanwhile, and the number of its descriptor reused.
    const udp = endpoints?.udp ?? [];
    // Another socket of the same family works too: the control message contains the address that the client asked.
    const { fd } =
      udp.find(({ id }) => id === miss.socket) ??
      udp.find(({ sockaddrBytes }) => sockaddrBytes === miss.source.length) ??
      {};
    if (reply === undefined || fd === undefined) return;
    if (!sendDatagram(fd, reply, miss.source, miss.control)) counters.values[counters.index['drop-send']]++;
  }

  function onMessage(message: FromDnsWorker): void {
    if (message.kind === 'misses') {
      for (const miss of message.misses) {
        const answer = answerMiss(miss, outstanding).finally(() => underWay.delete(answer));
        underWay.add(answer);
      }
      return;
    }
    endpoints?.released(message.generation);
  }

  const init = (): WorkerInit => {
    // The outstanding misses of the previous thread are not waited for.
    outstanding = new Int32Array(new SharedArrayBuffer(4));
    return {
      sockets: endpoints?.udp ?? [],
      generation: endpoints?.generation ?? 0,
      allow,
      cacheEntries: config.cacheEntries,
      counters: workerCounters.buffer,
      outstanding: outstanding.buffer,
      events: queryLog.buffer,
    };
  };

  function setAccess(entries: readonly string[]): void {
    const next = resolveAccessList(entries, attached);
    if (accessKey(next) === accessKey(allow)) return;
    allow = next;
    worker?.send({ kind: 'access', allow });
  }

  async function reconfigure(next: Dns64Config): Promise<void> {
    await endpoints!.set(next, () => setAccess(next.allow));
    const previous = config;
    config = next;
    queryLog.setLevel(next.queryLog);
    const same = (pick: (of: Dns64Config) => unknown) =>
      JSON.stringify(pick(previous)) === JSON.stringify(pick(next));
    if (same(({ upstreams, prefixes, cacheEntries }) => [upstreams, prefixes, cacheEntries])) return;
    // Cached answers depend on the old upstreams and prefixes: start with new caches in both threads.
    source.retire();
    source = createAnswerSource(toAnswerOptions(next));
    const resized = next.cacheEntries !== previous.cacheEntries;
    worker?.send({ kind: 'flush', ...(resized ? { cacheEntries: next.cacheEntries } : {}) });
  }

  const accessTimer = setInterval(() => setAccess(config.allow), ACCESS_REFRESH_MS);
  accessTimer.unref();
  const following = context.ourselves.onChange(() => setAccess(config.allow));

  async function stop(): Promise<void> {
    clearInterval(accessTimer);
    following[Symbol.dispose]();
    aborter.abort();
    streams.close();
    await worker?.[Symbol.asyncDispose]();
    queryLog[Symbol.dispose]();
    endpoints?.close();
  }

  try {
    endpoints = await openEndpoints(config, {
      log,
      events: context.events,
      accept: streams.accept,
      onChange() {
        if (endpoints === undefined || worker === undefined) return;
        worker.send({ kind: 'sockets', sockets: endpoints.udp, generation: endpoints.generation });
      },
    });
    worker = await superviseWorker<WorkerInit, ToDnsWorker, FromDnsWorker>({
      name: 'dns64',
      entry: new URL('worker.ts', import.meta.url),
      init,
      onMessage,
      log,
    });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    reconfigure,
    stop,
    /** UDP is answered until the end: its clients have no connection over which they could be notified. */
    async drain(signal) {
      endpoints?.stopAdmitting();
      await orAborted(streams.drain(), signal);
      await orAborted(Promise.allSettled(underWay), signal);
    },
    counters: () => readCounters(counters, workerCounters),
    limits: () => [
      { what: say('TCP connections'), used: streams.connections, size: MAX_CONNECTIONS, advice: SEE_QUERIES },
      {
        what: say('questions to upstreams'),
        used: source.inFlight,
        size: MAX_IN_FLIGHT,
        advice: SEE_QUERIES,
      },
      {
        what: say('queries that wait for upstreams'),
        used: source.waiting,
        size: MAX_WAITING,
        advice: SEE_QUERIES,
      },
    ],
    failWorker: () => worker?.fail(),
    status(): ServiceStatus {
      const { 'queries-udp': udp, 'queries-tcp': tcp, hits } = readCounters(counters, workerCounters);
      const upstreams = source.upstreams();
      const isNoneWell = upstreams.every(({ trouble }) => trouble !== undefined);
      const inTrouble = (which: Trouble) =>
        upstreams.flatMap(({ text, trouble }) => (trouble === which ? [text] : [])).join(', ');
      const [silent, erring] = [inTrouble('silent'), inTrouble('errors')];
      const loops = upstreams.filter(({ isOurs }) => isOurs);
      const problems = [
        worker?.alive ? undefined : say('The thread that answers from the cache is being started again'),
        loops.length > 0
          ? say('{upstreams} is this resolver itself, so it is not asked: remove it from dns64.upstreams', {
              upstreams: loops.map(({ text }) => text).join(', '),
            })
          : isNoneWell && silent !== ''
            ? say('None of the upstreams answers: check the route to {upstreams}', { upstreams: silent })
            : undefined,
        isNoneWell && loops.length === 0 && erring !== ''
          ? say(
              '{upstreams} answers with errors only: it refuses this network, is out of order itself, or leads back here; set another in dns64.upstreams',
              { upstreams: erring },
            )
          : undefined,
        endpoints?.problem,
      ];
      const isWell = problems.every((each) => each === undefined);
      const states = upstreams.map(({ text, trouble, isOurs, rttMs }): [string, Text] => [
        text,
        isOurs
          ? say('this resolver itself')
          : trouble !== undefined
            ? trouble === 'silent'
              ? say('down')
              : say('errors only')
            : rttMs === undefined
              ? say('not asked yet')
              : say('up, {milliseconds} ms', { milliseconds: Math.round(rttMs * 10) / 10 }),
      ]);
      return {
        ...(isWell ? { state: 'running' } : { state: 'degraded', problem: sentences(...problems) }),
        restarts: worker?.restarts ?? 0,
        figures: {
          cacheEntries: source.cacheEntries,
          hitPercent: udp + tcp === 0 ? 0 : Math.round((hits / (udp + tcp)) * 1000) / 10,
          inFlight: source.inFlight,
          tcpConnections: streams.connections,
          ...Object.fromEntries(states),
        },
      };
    },
  };
}
