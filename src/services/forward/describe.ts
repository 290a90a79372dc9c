/** The description of the forwarder. */
import { problem } from '../../config/problem.ts';
import { accessLogEverywhere, mappedOf, trustedProxiesOf } from '../../config/host-services.ts';
import type { Config } from '../../config/schema.ts';
import { type PortRange, parsePortRange } from '../../config/values.ts';
import { connectionKind } from '../../net/connection-event.ts';
import { tcpFigures } from '../../net/counters.ts';
import { say } from '../../texts/text.ts';
import { type PortUse, describeService, figureOf, rateOf, singlePort, socketsAt } from '../description.ts';
import { tcpQueries } from '../tcp-queries.ts';
import { FILE_NAME, parseAllotments } from './allotment-file.ts';
import { forwardCounterTable } from './counters.ts';
import type { ForwardOptions, ForwardService } from './service.ts';

export const forward = describeService<ForwardOptions, ForwardService>({
  name: 'forward',
  title: say('SSH and ports'),
  counters: forwardCounterTable,
  gauges: tcpFigures,
  series: {
    forwardUpBytesPerSecond: rateOf('bytes/s', 'bytes-up'),
    forwardDownBytesPerSecond: rateOf('bytes/s', 'bytes-down'),
    forwardConnections: figureOf('connections', 'connections'),
    forwardAcceptedPerSecond: rateOf('1/s', 'accepted'),
  },
  events: [connectionKind],
  queries: tcpQueries,
  options: (config, others) => ({
    forward: config.forward,
    hosts: config.hosts,
    mapped: mappedOf(config),
    accessLog: accessLogEverywhere(config),
    trustedProxies: trustedProxiesOf(config),
    reservedPorts: others.flatMap(({ use, range }) => (use === 'listens' ? [range.first] : [])),
  }),
  files: { [FILE_NAME]: parseAllotments },
  start: async (options, context) => (await import('./service.ts')).startForward(options, context),
  explain: {
    isBeforeSockets: false,
    async load({ options, ourselves, running }) {
      const { explainForward } = await import('./explain-step.ts');
      return async (flow) =>
        explainForward(options as ForwardOptions, running?.allotments() ?? {}, ourselves, flow);
    },
  },
  ports: ({ forward, hosts }) => [
    // A server that is switched off keeps its port.
    ...hosts.flatMap(({ name, ssh }, i): PortUse[] => {
      if (ssh === false || ssh.port === undefined) return [];
      return [
        {
          use: 'listens',
          path: `/hosts/${i}/ssh/port`,
          value: ssh.port,
          what: say('SSH of {name}', { name }),
          protocols: ['tcp'],
          addresses: forward.listen,
          range: singlePort(ssh.port),
        },
      ];
    }),
    {
      use: 'chooses',
      path: '/forward/sshPorts',
      value: forward.sshPorts,
      what: say('the SSH ports'),
      protocols: ['tcp'],
      addresses: forward.listen,
      range: parsePortRange(forward.sshPorts) as PortRange,
    },
  ],
  sockets({ forward, hosts }, sshPorts) {
    const off = new Set(hosts.flatMap(({ name, enabled }) => (enabled ? [] : [name])));
    return Object.entries(sshPorts).flatMap(([name, port]) =>
      off.has(name)
        ? []
        : socketsAt(forward.listen, port, say('SSH port of {name}', { name }), `forward ${name}`),
    );
  },
  sshPorts: (running) => running.sshPorts(),
  diagnostics: async () => (await import('./diagnostics.ts')).diagnostics,
  place: { area: 'ports', needs: ['port-conflicts'] },
  ownAddresses: ({ forward }) => forward.listen,
  check: checkSshRange,
});

/** Each server without an explicit port needs one from the range. */
function checkSshRange({ hosts, forward }: Config) {
  const range = parsePortRange(forward.sshPorts) as PortRange;
  const explicit = new Set<number>();
  let automatic = 0;
  for (const { ssh } of hosts) {
    if (ssh === false) continue;
    if (ssh.port === undefined) automatic++;
    else if (ssh.port >= range.first && ssh.port <= range.last) explicit.add(ssh.port);
  }
  const free = range.last - range.first + 1 - explicit.size;
  if (automatic <= free) return [];
  const sentence = say('has {free} free ports for {servers} servers', { free, servers: automatic });
  const expected = say('a range with {count} free ports', { count: automatic });
  return [problem('/forward/sshPorts', forward.sshPorts, sentence, expected)];
}
