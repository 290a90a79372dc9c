/** The proxy's worker thread. */
import { AccessLevel } from '../../net/access-record.ts';
import type { HostConfig } from '../../config/schema.ts';
import type { FoundWays } from '../../net/found-ways.ts';
import { createSourceOf } from '../../net/mapped-source.ts';
import { type GateMeans, runTcpWorker } from '../../net/tcp-worker.ts';
import { compileTrusted } from '../../net/trusted-proxies.ts';
import { type MappedConfig, probeAddress, withoutCounterOf } from '../mapped.ts';
import { type ProxyCounterIndex, proxyCounterTable } from './counters.ts';
import { type HostTableOptions, buildHostTable } from './host-table.ts';
import { type HttpListener, createHttpListener } from './http/listener.ts';
import type { Awaited } from '../../net/gate.ts';
import { type LearnedServers, type NameAnswer, createLearnedServers } from './learned.ts';
import { createTlsGate } from './tls-gate.ts';
import { monotonicMs } from '../../os/monotonic.ts';
import { randomWord } from '../../os/random.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';

export interface ProxyWorkerConfig extends Omit<HostTableOptions, 'names'> {
  readonly hosts: readonly HostConfig[];
  readonly mapped: MappedConfig;
  readonly foundWays?: FoundWays | undefined;
  readonly responseTimeoutMs: number;
  /** Prefixes: connections from there begin with a PROXY header. */
  readonly trustedProxies: readonly string[];
  readonly allowed: AllowedTexts;
}

/** `AllowedAddresses` as text; no prefixes: names are not looked up. */
export interface AllowedTexts {
  readonly prefixes: readonly string[];
  readonly embedding: readonly string[];
}

/** By name. Kept over changes of the configuration, because their connections are. */
const httpListeners = new Map<string, HttpListener>();

let learned: { readonly servers: LearnedServers; readonly key: string } | undefined;
/** Of the configuration before: clients that came by it wait for its answers. */
let learnedBefore: LearnedServers | undefined;

/** What is known of names stays known, if the settings for it are the same. */
function learnedFor({ allowed, accessLog }: ProxyWorkerConfig, index: ProxyCounterIndex, means: GateMeans) {
  const key = JSON.stringify([allowed, accessLog]);
  if (learned?.key === key) {
    learned.servers.setOurselves(means.ourselves);
    return learned.servers;
  }
  learnedBefore = learned?.servers;
  learned = undefined;
  if (allowed.prefixes.length === 0) return undefined;
  const parse = (texts: readonly string[]) => texts.map((text) => parseIpPrefix(text)!);
  const servers = createLearnedServers({
    allowed: { prefixes: parse(allowed.prefixes), embedding: parse(allowed.embedding) },
    ourselves: means.ourselves,
    values: means.values,
    index,
    ask: means.ask,
    accessLog: AccessLevel[accessLog ?? 'off'],
    onForget(backend) {
      for (const listener of httpListeners.values()) listener.forget(backend);
    },
    now: monotonicMs,
    seed: randomWord(),
  });
  learned = { servers, key };
  return servers;
}

function onTold(answer: unknown, resume: (awaited: Awaited) => void): void {
  for (const servers of [learned?.servers, learnedBefore]) {
    const awaited = servers?.learn(answer as NameAnswer);
    if (awaited !== undefined) resume(awaited);
  }
}

runTcpWorker<ProxyWorkerConfig, typeof proxyCounterTable>({
  counterTable: proxyCounterTable,
  onTold,
  createGates(config, index, peerOf, means) {
    const { hosts, responseTimeoutMs, mapped, foundWays, trustedProxies, ...options } = config;
    const servers = learnedFor(config, index, means);
    for (const [name, listener] of httpListeners)
      if (!options.listeners.some((each) => each.name === name && each.protocol === 'http'))
        listener.retire();
    const withoutCounter = withoutCounterOf(mapped, index['mapped-fallback']);
    const sourceOf = createSourceOf(probeAddress(mapped), withoutCounter, foundWays);
    const trusted = compileTrusted(trustedProxies.flatMap((text) => parseIpPrefix(text) ?? []));
    return (name) => {
      const listener = options.listeners.find((candidate) => candidate.name === name)!;
      const names = servers?.at(listener.port) ?? null;
      const table = buildHostTable(hosts, listener, { ...options, names });
      if (listener.protocol === 'tls') return { ...createTlsGate(table, index, peerOf, sourceOf), trusted };
      let http = httpListeners.get(name);
      if (http === undefined) httpListeners.set(name, (http = createHttpListener(index, peerOf)));
      http.update(table, responseTimeoutMs, sourceOf, trusted);
      return http.gate;
    };
  },
});
