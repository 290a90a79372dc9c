/**
 * The DNS64 resolver: UDP answers from the cache in a worker thread, everything else here. The sockets belong to the main
 * thread: while a dead worker is replaced, queries wait in the socket.
 */
import type net from 'node:net';
import type { Dns64Config } from '../../config/schema.ts';
import { close } from '../../os/libc.ts';
import { resolveAccessList } from '../../os/interfaces.ts';
import { createCounters, readCounters } from '../../runtime/counters.ts';
import type { Service, ServiceContext, ServiceStatus } from '../../runtime/service.ts';
import { type SupervisedWorker, superviseWorker } from '../../runtime/supervise-worker.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { type AnswerSource, createAnswerSource } from './answer-source.ts';
import { DNS64_COUNTERS } from './counters.ts';
import { datagramSender } from './datagrams.ts';
import { createQueryLog } from './events.ts';
import type { FromDnsWorker, Miss, ToDnsWorker, UdpSocket, WorkerInit } from './messages.ts';
import { listenTcp, openUdp } from './sockets.ts';
import { createStreamServer } from './stream.ts';
import { isLoop } from './upstreams.ts';
import type { DnsUpstream } from '../../config/values.ts';
import { type Text, say } from '../../texts/text.ts';

export interface Dns64Options {
  readonly dns64: Dns64Config;
}

/** How often "lan" in the access list is looked up again: addresses come and go. */
const ACCESS_REFRESH_MS = 10_000;

/** Starts the resolver, or a disabled one that only waits for `reconfigure`. Rejects when a socket cannot be opened, with nothing left behind. */
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
    counters: () => running?.counters() ?? readCounters(createCounters(DNS64_COUNTERS)),
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
  failWorker(): void;
  stop(): Promise<void>;
}

/** What listens on one address. */
interface Endpoint {
  readonly key: string;
  readonly udp: UdpSocket;
  readonly tcp: net.Server;
}

const accessKey = (prefixes: readonly IpPrefix[]): string => prefixes.map(formatIpPrefix).sort().join(' ');

async function startResolver(initial: Dns64Config, context: ServiceContext): Promise<RunningResolver> {
  const log = context.log.child({ service: 'dns64' });
  let config = initial;
  let allow = resolveAccessList(config.allow);
  let endpoints: Endpoint[] = [];
  /** Which list of sockets the worker was told last, and sockets that it may still use although they are in it no more. */
  let generation = 0;
  let retired: { readonly generation: number; readonly fd: number }[] = [];
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
    // Looked up only now: the socket may have been closed, and its descriptor's number given to another.
    const fd = endpoints.find(({ udp }) => udp.id === miss.socket)?.udp.fd;
    if (reply === undefined || fd === undefined) return;
    if (!sendDatagram(fd, reply, miss.source, miss.control)) counters.values[counters.index['drop-send']]++;
  }

  function onMessage(message: FromDnsWorker): void {
    if (message.kind === 'misses') {
      for (const miss of message.misses) void answerMiss(miss, outstanding);
      return;
    }
    for (const socket of retired) if (socket.generation <= message.generation) close(socket.fd);
    retired = retired.filter((socket) => socket.generation > message.generation);
  }

  const init = (): WorkerInit => {
    // Whatever the thread before had outstanding is no longer waited for.
    outstanding = new Int32Array(new SharedArrayBuffer(4));
    return {
      sockets: endpoints.map(({ udp }) => udp),
      generation,
      allow,
      cacheEntries: config.cacheEntries,
      counters: workerCounters.buffer,
      outstanding: outstanding.buffer,
      events: queryLog.buffer,
    };
  };

  async function openEndpoint(address: string, port: number): Promise<Endpoint> {
    const udp = openUdp(address, port);
    try {
      const tcp = await listenTcp(address, port, streams.accept);
      tcp.on('error', (error) => log.warn({ err: error, address }, 'dns64: accepting TCP failed'));
      return { key: `${address} ${port}`, udp, tcp };
    } catch (error) {
      close(udp.fd);
      throw error;
    }
  }

  /** Opens what the configuration listens to and is not open; throws with nothing new left open. */
  async function openMissing(wanted: Dns64Config): Promise<Endpoint[]> {
    const opened: Endpoint[] = [];
    try {
      for (const address of wanted.listen) {
        const key = `${address} ${wanted.port}`;
        if (![...endpoints, ...opened].some((endpoint) => endpoint.key === key))
          opened.push(await openEndpoint(address, wanted.port));
      }
      return opened;
    } catch (error) {
      for (const { udp, tcp } of opened) {
        close(udp.fd);
        tcp.close();
      }
      throw error;
    }
  }

  function setAccess(entries: readonly string[]): void {
    const next = resolveAccessList(entries);
    if (accessKey(next) === accessKey(allow)) return;
    allow = next;
    worker?.send({ kind: 'access', allow });
  }

  /** Brings the sockets in line; those no longer wanted are closed when the worker has let go of them. */
  function setEndpoints(wanted: Dns64Config, opened: readonly Endpoint[]): void {
    const keys = new Set(wanted.listen.map((address) => `${address} ${wanted.port}`));
    const dropped = endpoints.filter(({ key }) => !keys.has(key));
    if (opened.length === 0 && dropped.length === 0) return;
    endpoints = [...endpoints.filter(({ key }) => keys.has(key)), ...opened];
    generation++;
    for (const { udp, tcp } of dropped) {
      tcp.close();
      retired.push({ generation, fd: udp.fd });
    }
    worker?.send({ kind: 'sockets', sockets: endpoints.map(({ udp }) => udp), generation });
  }

  async function reconfigure(next: Dns64Config): Promise<void> {
    const opened = await openMissing(next);
    const previous = config;
    config = next;
    queryLog.setLevel(next.queryLog);
    setAccess(next.allow);
    setEndpoints(next, opened);
    const same = (pick: (of: Dns64Config) => unknown) =>
      JSON.stringify(pick(previous)) === JSON.stringify(pick(next));
    if (same(({ upstreams, prefixes, cacheEntries }) => [upstreams, prefixes, cacheEntries])) return;
    // Answers hold what the old upstreams said and the old prefixes made: a new cache, here and there.
    source.retire();
    source = createAnswerSource(toAnswerOptions(next));
    const resized = next.cacheEntries !== previous.cacheEntries;
    worker?.send({ kind: 'flush', ...(resized ? { cacheEntries: next.cacheEntries } : {}) });
  }

  const accessTimer = setInterval(() => setAccess(config.allow), ACCESS_REFRESH_MS);
  accessTimer.unref();

  async function stop(): Promise<void> {
    clearInterval(accessTimer);
    aborter.abort();
    streams.close();
    await worker?.[Symbol.asyncDispose]();
    queryLog[Symbol.dispose]();
    for (const { udp, tcp } of endpoints) {
      close(udp.fd);
      tcp.close();
    }
    for (const { fd } of retired) close(fd);
    endpoints = [];
    retired = [];
  }

  try {
    endpoints = await openMissing(config);
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
    counters: () => readCounters(counters, workerCounters),
    failWorker: () => worker?.fail(),
    status(): ServiceStatus {
      const { 'queries-udp': udp, 'queries-tcp': tcp, hits } = readCounters(counters, workerCounters);
      const upstreams = source.upstreams();
      const allDown = upstreams.every(({ up }) => !up);
      const loops = upstreams.filter(({ isOurs }) => isOurs);
      const problem = !worker?.alive
        ? say('The thread that answers from the cache is being started again')
        : loops.length > 0
          ? say('{upstreams} is this resolver itself, so it is not asked: remove it from dns64.upstreams', {
              upstreams: loops.map(({ text }) => text).join(', '),
            })
          : allDown
            ? say('None of the upstreams answers: check the route to {upstreams}', {
                upstreams: upstreams.map(({ text }) => text).join(', '),
              })
            : undefined;
      const states = upstreams.map(({ text, up, isOurs, rttMs }): [string, Text] => [
        text,
        isOurs
          ? say('this resolver itself')
          : !up
            ? say('down')
            : rttMs === undefined
              ? say('not asked yet')
              : say('up, {milliseconds} ms', { milliseconds: Math.round(rttMs * 10) / 10 }),
      ]);
      return {
        state: problem === undefined ? 'running' : 'degraded',
        ...(problem === undefined ? {} : { problem }),
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
