/** The description of the proxy. */
import { duplicates, problem } from '../../config/problem.ts';
import { connectionKind } from '../../net/connection-event.ts';
import { tcpFigures } from '../../net/counters.ts';
import { asIs, say } from '../../texts/text.ts';
import { describeService, figureOf, rateOf, singlePort, socketsAt } from '../description.ts';
import { proxyCounterTable } from './counters.ts';
import { usesMapped } from '../mapped.ts';
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
    async load({ options, ourselves }) {
      const { explainProxy } = await import('./explain-step.ts');
      return async (flow) => explainProxy(options as ProxyOptions, ourselves, flow);
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
    const used = new Set(hosts.flatMap(({ services }) => services));
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
  check({ proxy }) {
    const keys = proxy.listeners.map(({ name }, i) => ({ key: name, path: `/proxy/listeners/${i}/name` }));
    return duplicates(keys, say('a name that no other listener has'));
  },
  checkHost({ proxy }, host, path) {
    const names = proxy.listeners.map(({ name }) => name);
    return host.services.flatMap((service, i) => {
      if (names.includes(service)) return [];
      const known =
        names.length === 0
          ? say('no service: proxy.listeners is empty')
          : say('one of {names}', { names: names.join(', ') });
      return [problem(`${path}/services/${i}`, service, say('is not the name of a listener'), known)];
    });
  },
});
