/** The description of the DNS64 service. */
import { problem } from '../../config/problem.ts';
import { parseDnsUpstream } from '../../config/values.ts';
import { asIs, say } from '../../texts/text.ts';
import { describeService, rateOf, singlePort, socketsAt } from '../description.ts';
import { dnsKind } from './contract.ts';
import { DNS64_COUNTERS } from './counters.ts';
import type { Dns64Options } from './service.ts';

export const dns64 = describeService({
  name: 'dns64',
  title: asIs('DNS64'),
  counters: DNS64_COUNTERS,
  gauges: {
    cacheEntries: 'Answers in the cache',
    inFlight: 'Questions under way to upstreams',
    tcpConnections: 'TCP connections now open',
  },
  series: {
    dnsQueriesPerSecond: rateOf('1/s', 'queries-udp', 'queries-tcp'),
    dnsCachedPerSecond: rateOf('1/s', 'hits'),
  },
  events: [dnsKind],
  options: ({ dns64 }): Dns64Options => ({ dns64 }),
  start: async (options, context) => (await import('./service.ts')).startDns64(options, context),
  explain: {
    isBeforeSockets: false,
    async load({ config, ourselves }) {
      const { explainDns64 } = await import('./explain-step.ts');
      return (flow) => explainDns64(config.dns64, ourselves, flow);
    },
  },
  ports: ({ dns64: { enabled, port, listen } }) => [
    {
      use: 'listens',
      path: '/dns64/port',
      value: port,
      what: asIs('DNS64'),
      protocols: ['tcp', 'udp'],
      addresses: listen,
      range: singlePort(port),
      isOff: !enabled,
    },
  ],
  sockets: ({ dns64: { enabled, listen, port } }) =>
    enabled
      ? [
          ...socketsAt(listen, port, asIs('DNS64'), undefined, 'udp'),
          ...socketsAt(listen, port, asIs('DNS64')),
        ]
      : [],
  diagnostics: async () => (await import('./diagnostics.ts')).diagnostics,
  place: { area: 'dns64', needs: ['port-conflicts', 'default-route-4', 'dns64-upstreams'] },
  example: { config: { allow: ['2001:db8:1::/64'] } },
  ownAddresses: ({ dns64 }) => dns64.listen,
  prefixes: ({ dns64: { prefixes, enabled } }) =>
    prefixes.map((text, i) => ({ text, ...(enabled && { promisedAt: `/dns64/prefixes/${i}` }) })),
  checkOurselves: ({ dns64: { enabled, upstreams, port, listen } }, own) =>
    upstreams.flatMap((text, i) => {
      const upstream = parseDnsUpstream(text);
      if (!enabled || upstream?.port !== port) return [];
      if (!own.listensAt(upstream.address, listen)) return [];
      const sentence = say('is this resolver itself: it would ask itself for ever');
      return [problem(`/dns64/upstreams/${i}`, text, sentence, say('another resolver, or another port'))];
    }),
});
