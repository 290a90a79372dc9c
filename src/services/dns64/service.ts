/**
 * The DNS64 resolver. A worker thread answers UDP from its cache; the main thread does everything else. The sockets belong to
 * the main thread: while a dead worker is replaced, queries wait in the socket.
 */
import type { Dns64Config } from '../../config/schema.ts';
import type { DnsUpstream } from '../../config/values.ts';
import { createCounters, readCounters } from '../../runtime/counters.ts';
import { orAborted } from '../../runtime/drain.ts';
import type { Limit } from '../../runtime/limits.ts';
import type { ServiceStatus } from '../../runtime/report.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { type SupervisedWorker, superviseWorker } from '../../runtime/supervise-worker.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import { type AnswerSource, createAnswerSource } from './answer-source.ts';
import { DNS64_COUNTERS } from './counters.ts';
import { type Endpoints, openEndpoints } from './endpoints.ts';
import { createQueryLog } from './events.ts';
import { followAccess } from '../../os/follow-access.ts';
import type { FromDnsWorker, ToDnsWorker, WorkerInit } from './messages.ts';
import { createMisses } from './misses.ts';
import { limitsOf, statusOf } from './report.ts';
import { createStreamServer } from './stream.ts';
import { isLoop } from '../../net/dns-upstreams.ts';

export interface Dns64Options {
  readonly dns64: Dns64Config;
}

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

async function startResolver(initial: Dns64Config, context: ServiceContext): Promise<RunningResolver> {
  const { log } = context;
  let config = initial;
  let endpoints: Endpoints | undefined;
  let worker: SupervisedWorker<ToDnsWorker> | undefined;

  const aborter = new AbortController();
  const counters = createCounters(DNS64_COUNTERS);
  const queryLog = createQueryLog(context.events, config.queryLog);
  const workerCounters = createCounters(DNS64_COUNTERS);
  const access = followAccess(config.allow, context.ourselves, (allow) =>
    worker?.send({ kind: 'access', allow }),
  );
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
  const misses = createMisses({ counters, source: () => source, sockets: () => endpoints?.udp ?? [] });
  const streams = createStreamServer({
    answer: (message, client) => source.answerStream(message, client),
    counters,
    allow: () => access.prefixes,
  });

  const init = (): WorkerInit => ({
    sockets: endpoints?.udp ?? [],
    generation: endpoints?.generation ?? 0,
    allow: access.prefixes,
    cacheEntries: config.cacheEntries,
    counters: workerCounters.buffer,
    outstanding: misses.forget(),
    events: queryLog.buffer,
  });

  async function reconfigure(next: Dns64Config): Promise<void> {
    await endpoints!.set(next, () => access.set(next.allow));
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

  async function stop(): Promise<void> {
    access[Symbol.dispose]();
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
      onMessage: (message) => {
        if (message.kind === 'misses') misses.answer(message.misses);
        else endpoints?.released(message.generation);
      },
      log,
    });
  } catch (error) {
    await stop();
    throw error;
  }

  const counts = () => readCounters(counters, workerCounters);
  return {
    reconfigure,
    stop,
    /** UDP is answered until the end: its clients have no connection over which they could be notified. */
    async drain(signal) {
      endpoints?.stopAdmitting();
      await orAborted(streams.drain(), signal);
      await orAborted(misses.settled(), signal);
    },
    counters: counts,
    limits: () => limitsOf({ source, tcpConnections: streams.connections }),
    failWorker: () => worker?.fail(),
    status: () => {
      const tcpConnections = streams.connections;
      return statusOf({ source, worker, tcpConnections, problem: endpoints?.problem, counts: counts() });
    },
  };
}
