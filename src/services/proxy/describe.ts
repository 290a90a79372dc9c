/** The description of the proxy. */
import { isHttps, serviceAt, usedListeners } from '../../config/host-services.ts';
import { type ConfigProblem, duplicates, missing, problem } from '../../config/problem.ts';
import type { Config, HostConfig } from '../../config/schema.ts';
import { connectionKind } from '../../net/connection-event.ts';
import { tcpFigures } from '../../net/counters.ts';
import { asIs, say } from '../../texts/text.ts';
import { lookUpSettings } from '../../config/resolvers.ts';
import { type IpPrefix, parseIpPrefix, prefixContains, prefixesOverlap } from '../../wire/ip-prefix.ts';
import {
  type EmbeddingPrefix,
  type OwnAddresses,
  describeService,
  figureOf,
  rateOf,
  singlePort,
  socketsAt,
} from '../description.ts';
import { NEVER_DIALLED } from './never-dialled.ts';
import { tcpQueries } from '../tcp-queries.ts';
import { checkHostnames, checkWays } from './check-ways.ts';
import { proxyCounterTable } from './counters.ts';
import { usesMapped } from '../mapped.ts';
import { lacksName } from './health/targets.ts';
import type { ProxyOptions } from './service.ts';

const LOOPBACK = parseIpPrefix('127.0.0.0/8') as IpPrefix;
const HOST_BITS = 128;
const IPV4_OFFSET_BITS = 96;

export const proxy = describeService({
  name: 'proxy',
  title: asIs('Proxy'),
  counters: proxyCounterTable,
  gauges: tcpFigures,
  series: {
    proxyUpBytesPerSecond: rateOf('bytes/s', 'bytes-up'),
    proxyDownBytesPerSecond: rateOf('bytes/s', 'bytes-down'),
    proxyConnections: figureOf('connections', 'connections'),
    proxyAcceptedPerSecond: rateOf('1/s', 'accepted'),
  },
  events: [connectionKind],
  queries: tcpQueries,
  options: (config, _others, embedding): ProxyOptions => ({
    proxy: config.proxy,
    hosts: config.hosts,
    // Without allowed prefixes, changes of these concern nothing here.
    ...(config.proxy.allowedPrefixes.length > 0 && {
      names: { ...lookUpSettings(config), embedding },
    }),
  }),
  prepare: async (context) => (await import('../../runtime/port-reuse.ts')).keepPortReuse('proxy', context),
  start: async (options, context) => (await import('./service.ts')).startProxy(options, context),
  explain: {
    isBeforeSockets: false,
    async load({ options, ourselves, isLive, running }) {
      const { explainProxy } = await import('./explain-step.ts');
      const health = () => (isLive ? (running?.health?.() ?? {}) : {});
      return async (flow) => explainProxy(options as ProxyOptions, ourselves, flow, health());
    },
  },
  ports: ({ proxy: { listeners, listen } }) =>
    listeners.map(({ name, port }, i) => ({
      use: 'listens',
      path: `/proxy/listeners/${i}/port`,
      value: port,
      what: say('listener {name}', { name }),
      protocols: ['tcp'],
      addresses: listen,
      range: singlePort(port),
    })),
  sockets({ proxy, hosts }) {
    const { listeners, listen } = proxy;
    const used = usedListeners(proxy, hosts);
    return listeners
      .filter(({ name }) => used.has(name))
      .flatMap(({ name, port }) =>
        socketsAt(listen, port, say('listener {name}', { name }), `proxy ${name}`),
      );
  },
  diagnostics: async () => (await import('./diagnostics.ts')).diagnostics,
  place: { area: 'ports', needs: ['port-conflicts'] },
  ownAddresses: ({ proxy }) => proxy.listen,
  prefixes: ({ proxy, hosts }) => [
    { text: proxy.mappedPrefix, ownedAt: '/proxy/mappedPrefix', isOff: !usesMapped(hosts) },
  ],
  check({ proxy, hosts }, embedding) {
    const keys = proxy.listeners.map(({ name }, i) => ({ key: name, path: `/proxy/listeners/${i}/name` }));
    return [
      ...duplicates(keys, say('a name that no other listener has')),
      ...checkHostnames(hosts),
      ...checkTrusted(proxy.trustedProxies),
      ...checkDefaultHost(proxy.defaultHost, hosts),
      ...checkAllowed(proxy.allowedPrefixes, embedding),
    ];
  },
  checkOurselves: ({ proxy }, ourselves) => checkTrustedOurselves(proxy.trustedProxies, ourselves),
  checkHost: (config, host, path) => [
    ...checkWays(config, host, path),
    ...checkRedirect(config, host, path),
    ...checkHealth(config, host, path),
  ],
});

/** Proxies that everybody could be, so that everybody could say to be anybody. */
function checkTrusted(trustedProxies: readonly string[]): ConfigProblem[] {
  return trustedProxies.flatMap((text, i) => {
    const { prefixBits } = parseIpPrefix(text) as IpPrefix;
    if (prefixBits > (text.includes(':') ? 0 : IPV4_OFFSET_BITS)) return [];
    const sentence = say('has every address: everybody could claim any address');
    return [problem(`/proxy/trustedProxies/${i}`, text, sentence, say('the addresses of your proxies'))];
  });
}

/** Own addresses are never trusted (net/trusted-proxies.ts). A wider prefix may have one: that of a network. */
function checkTrustedOurselves(
  trustedProxies: readonly string[],
  ourselves: Pick<OwnAddresses, 'has'>,
): ConfigProblem[] {
  return trustedProxies.flatMap((text, i) => {
    const prefix = parseIpPrefix(text) as IpPrefix;
    const isWide = prefix.prefixBits < HOST_BITS && !prefixContains(LOOPBACK, prefix.address);
    if (isWide || !ourselves.has(prefix.address)) return [];
    const sentence = say('is an address of this appliance itself');
    return [problem(`/proxy/trustedProxies/${i}`, text, sentence, say('the address of another machine'))];
  });
}

function checkDefaultHost(name: string | undefined, hosts: readonly HostConfig[]): ConfigProblem[] {
  if (name === undefined || hosts.some((host) => host.name === name)) return [];
  const expected =
    hosts.length === 0
      ? say('nothing: there is no server')
      : say('one of {names}', { names: hosts.map((host) => host.name).join(', ') });
  return [problem('/proxy/defaultHost', name, say('is not the name of a server'), expected)];
}

/** Prefixes with addresses that are never dialled: the user would think that they are. */
function checkAllowed(prefixes: readonly string[], embedding: readonly EmbeddingPrefix[]): ConfigProblem[] {
  const expected = say('the prefix of the networks in which the servers are, such as 2001:db8:1::/64');
  return prefixes.flatMap((text, i) => {
    const path = `/proxy/allowedPrefixes/${i}`;
    const prefix = parseIpPrefix(text)!;
    const isIn = (other: IpPrefix) => prefixesOverlap(prefix, other);
    const never = NEVER_DIALLED.find(([each]) => isIn(each));
    if (never !== undefined) return [problem(path, text, never[1], expected)];
    const other = embedding.find((each) => each.isOff !== true && isIn(parseIpPrefix(each.text)!));
    if (other === undefined) return [];
    const values = { prefix: other.text };
    const sentence =
      other.ownedAt === undefined
        ? say('overlaps the NAT64 prefix {prefix}', values)
        : say('overlaps the prefix {prefix}, where the addresses of clients are', values);
    return [problem(path, text, sentence, expected)];
  });
}

/** Where would the redirect lead? */
function checkRedirect({ proxy }: Config, host: HostConfig, path: string): ConfigProblem[] {
  if (host.redirectToHttps === false) return [];
  if (proxy.listeners.some((each) => isHttps(each) && serviceAt(host, each) !== undefined)) return [];
  const sentence = say('would lead nowhere: the server uses no listener for https');
  const expected = say('false, or a listener with port 443 or the name "https" in its services');
  return [problem(`${path}/redirectToHttps`, host.redirectToHttps, sentence, expected)];
}

/** What would a check ask for? */
function checkHealth({ proxy }: Config, host: HostConfig, path: string): ConfigProblem[] {
  if (!proxy.listeners.some((listener) => lacksName(host, listener))) return [];
  const expected = say(
    'the host name that health checks ask for, because the server has none without "*"; or "check": "tcp"',
  );
  return [missing(`${path}/health/host`, expected)];
}
