/** The description of the proxy. */
import { isHttps, listenersOf, serviceAt, usedListeners } from '../../config/host-services.ts';
import { type ConfigProblem, duplicates, missing, problem } from '../../config/problem.ts';
import type { Config, HostConfig } from '../../config/schema.ts';
import { connectionKind } from '../../net/connection-event.ts';
import { tcpFigures } from '../../net/counters.ts';
import { asIs, say } from '../../texts/text.ts';
import { describeService, figureOf, rateOf, singlePort, socketsAt } from '../description.ts';
import { proxyCounterTable } from './counters.ts';
import { usesMapped } from '../mapped.ts';
import { lacksName } from './health/targets.ts';
import type { ProxyOptions } from './service.ts';

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
  options: ({ proxy, hosts }): ProxyOptions => ({ proxy, hosts }),
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
  sockets({ proxy: { listeners, listen }, hosts }) {
    // A listener is only open while a server uses it.
    const used = usedListeners(hosts);
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
  check({ proxy, hosts }) {
    const keys = proxy.listeners.map(({ name }, i) => ({ key: name, path: `/proxy/listeners/${i}/name` }));
    return [
      ...duplicates(keys, say('a name that no other listener has')),
      ...checkDefaultHost(proxy.defaultHost, hosts),
    ];
  },
  checkHost: (config, host, path) => [
    ...checkServices(config, host, path),
    ...checkRedirect(config, host, path),
    ...checkHealth(config, host, path),
  ],
});

function checkServices({ proxy }: Config, host: HostConfig, path: string): ConfigProblem[] {
  const names = proxy.listeners.map(({ name }) => name);
  const placeOf = (i: number) =>
    `${path}/services/${i}${typeof host.services[i] === 'string' ? '' : '/listener'}`;
  const used = listenersOf(host);
  const unknown = used.flatMap((listener, i) => {
    if (names.includes(listener)) return [];
    const known =
      names.length === 0
        ? say('no service: proxy.listeners is empty')
        : say('one of {names}', { names: names.join(', ') });
    return [problem(placeOf(i), listener, say('is not the name of a listener'), known)];
  });
  const keys = used.map((listener, i) => ({ key: listener, path: placeOf(i) }));
  return [...unknown, ...duplicates(keys, say('each listener once'))];
}

function checkDefaultHost(name: string | undefined, hosts: readonly HostConfig[]): ConfigProblem[] {
  if (name === undefined || hosts.some((host) => host.name === name)) return [];
  const expected =
    hosts.length === 0
      ? say('nothing: there is no server')
      : say('one of {names}', { names: hosts.map((host) => host.name).join(', ') });
  return [problem('/proxy/defaultHost', name, say('is not the name of a server'), expected)];
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
