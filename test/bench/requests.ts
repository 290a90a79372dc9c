/**
 * The proxies as their users see them: TLS connections with a real handshake and one small request, and HTTP requests on
 * connections that are kept or not. All run at once on one host, each on its own loopback address, in front of one nginx with a
 * certificate on another host.
 *
 *     bench (clients, proxies) eth0 2001:db8:1::1 --- 2001:db8:1::10, ::11 eth0 servers (nginx)
 */
import { buildTopology } from '../../lab/topology.ts';
import { type LoadProcess, startLoad } from './load/commands.ts';
import { BODY } from './load/http-messages.ts';
import type { Probe, ProbeOrders } from './load/probe.ts';
import type { WebClientOrders, WebResult } from './load/web-client.ts';
import type { RowPlan, Scenario, Target } from './measure.ts';
import { type Backends, nginxPage, writeNginx } from './peers.ts';
import { cpuNs } from './proc.ts';
import {
  HTTP_PORT,
  type StartedProxy,
  TLS_PORT,
  contendersOf,
  proxyStarts,
  startProxies,
} from './proxy-contenders.ts';
import { type Subject, type SubjectOptions, cpus, openSubject, pinned, tcpSysctls } from './subject.ts';

/** The server keeps connections to `kept`; it closes those to `once` after each request. */
const SERVERS = {
  'kept.example.com': '2001:db8:1::10',
  'once.example.com': '2001:db8:1::11',
} as const satisfies Backends;
type ServerName = keyof typeof SERVERS;

const CONNECTIONS = 16;
/**
 * New connections are slow with a real handshake, and few on a busy machine. Without this, a process would still be compiling in
 * the rows that make some.
 */
const WARM_UP_SECONDS = 5;

export const openRequests = (options: SubjectOptions): Promise<Subject> =>
  openSubject(async (stack) => {
    const sysctls = { ...tcpSysctls(options), 'net/core/somaxconn': 4096 };
    const addresses = Object.values(SERVERS).map((address) => `${address}/64`);
    const { hosts, directory } = stack.use(
      await buildTopology({
        hosts: {
          bench: {
            interfaces: { eth0: { segment: 'island', addresses: ['2001:db8:1::1/64'] } },
            sysctls: {
              ...sysctls,
              'net/ipv4/ip_local_port_range': '1024 65535',
              // A proxy that closes a connection to the server first needs its port again within the minute.
              'net/ipv4/tcp_tw_reuse': 1,
            },
          },
          servers: { interfaces: { eth0: { segment: 'island', addresses } }, sysctls },
        },
      }),
    );
    const host = hosts.bench;
    const { measured, load, servers } = cpus();
    const certificate = {
      certFile: `${directory}/server.crt`,
      keyFile: `${directory}/server.key`,
      port: TLS_PORT,
    };
    await hosts.servers.run('openssl', certificateArguments(certificate));
    const listen = Object.entries(SERVERS).flatMap(([name, address]) =>
      [TLS_PORT, HTTP_PORT].map((port) => ({ address, port, isKept: name === 'kept.example.com' })),
    );
    const file = writeNginx(`${directory}/servers`, nginxPage(listen, certificate, BODY));
    const server = hosts.servers.spawn(...pinned(servers, 'nginx', '-c', file));
    await server.waitForListener('tcp', TLS_PORT);
    const probe = await startLoad<ProbeOrders>(host, 'probe.ts');
    const client = await startLoad<WebClientOrders>(host, 'web-client.ts', load);
    const means = { directory, options, cpu: measured };
    const starts = proxyStarts(host, means, { tls: SERVERS, http: SERVERS });
    const proxies = await startProxies(starts, probe, httpProbe);
    for (const proxy of proxies) await warmUp(proxy, client);
    return scenarios(proxies, client);
  });

async function warmUp({ address }: StartedProxy, client: LoadProcess<WebClientOrders>): Promise<void> {
  const load = {
    address,
    serverName: 'once.example.com',
    connections: CONNECTIONS,
    seconds: WARM_UP_SECONDS,
  };
  await client.order('warmUp', { ...load, port: TLS_PORT });
  await client.order('http', { ...load, port: HTTP_PORT, head: 'plain', isKept: false });
}

const certificateArguments = ({ certFile, keyFile }: { certFile: string; keyFile: string }): string[] => [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '7'],
  ...['-subj', '/CN=kept.example.com', '-keyout', keyFile, '-out', certFile],
];

const httpProbe = (name: string, address: string): Probe => ({
  name,
  kind: 'http',
  address,
  port: HTTP_PORT,
  hostname: 'kept.example.com',
});

/** Bounds of the CPU time, as a ratio to a peer's. */
const cpuAtMost = (bounds: Readonly<Record<string, number>>): Target[] =>
  Object.entries(bounds).map(([against, value]) => ({ against, bound: 'at most', value }));

function scenarios(proxies: readonly StartedProxy[], client: LoadProcess<WebClientOrders>): Scenario[] {
  const tls = (endsBy: 'order' | 'reset', connections: number, targets: readonly Target[]) =>
    scenario(proxies, {
      id: `proxy-tls-${endsBy}-${connections}`,
      title: `TLS, handshake and GET, ended ${endsBy === 'order' ? 'in order' : 'by reset'}, ${connections} at once`,
      one: 'connection',
      cpuTargets: targets,
      load: ({ address }, seconds) =>
        client.order('tls', {
          address,
          port: TLS_PORT,
          serverName: 'once.example.com',
          connections,
          seconds,
          endsBy,
        }),
    });
  const http = (
    what: {
      id: string;
      title: string;
      isKept?: boolean;
      serverName?: ServerName;
      head?: 'plain' | 'browser';
    },
    connections: number,
    { cpuTargets, rateTargets }: { cpuTargets: readonly Target[]; rateTargets?: readonly Target[] },
  ) => {
    const { isKept = true, serverName = 'kept.example.com', head = 'plain' } = what;
    return scenario(proxies, {
      id: `proxy-http-${what.id}-${connections}`,
      title: `HTTP, ${what.title}, ${connections} at once`,
      one: 'request',
      cpuTargets,
      ...(rateTargets !== undefined && { rateTargets }),
      load: ({ address }, seconds) =>
        client.order('http', { address, port: HTTP_PORT, serverName, connections, seconds, head, isKept }),
    });
  };
  const kept = { id: 'kept', title: 'kept on both sides' };
  const browser = { id: 'browser', title: "kept on both sides, a browser's head", head: 'browser' } as const;
  const closing = { id: 'closing', title: 'clients close, servers keep', isKept: false };
  const once = { id: 'once', title: 'kept nowhere', isKept: false, serverName: 'once.example.com' } as const;
  const keptTargets = {
    cpuTargets: cpuAtMost({ nginx: 0.92, haproxy: 1 }),
    rateTargets: [{ against: 'nginx', bound: 'at least', value: 1.05 }],
  } as const;
  return [
    tls('order', CONNECTIONS, cpuAtMost({ nginx: 1.05, haproxy: 1 })),
    tls('order', 1, cpuAtMost({ nginx: 1.05, haproxy: 1 })),
    tls('reset', CONNECTIONS, cpuAtMost({ nginx: 1.1 })),
    http(kept, CONNECTIONS, keptTargets),
    http(kept, 1, { cpuTargets: keptTargets.cpuTargets }),
    http(browser, CONNECTIONS, keptTargets),
    http(closing, CONNECTIONS, { cpuTargets: cpuAtMost({ nginx: 1.05 }) }),
    http(once, CONNECTIONS, { cpuTargets: cpuAtMost({ nginx: 1.1 }) }),
  ];
}

/** Two rows of one load: how many a second, and the CPU time of each. */
function scenario(
  proxies: readonly StartedProxy[],
  plan: {
    readonly id: string;
    readonly title: string;
    readonly one: 'connection' | 'request';
    readonly cpuTargets: readonly Target[];
    readonly rateTargets?: readonly Target[];
    readonly load: (proxy: StartedProxy, seconds: number) => Promise<WebResult>;
  },
): Scenario {
  const { id, title, one, cpuTargets, rateTargets = [], load } = plan;
  const run = (proxy: StartedProxy) => async (forSeconds: number) => {
    const before = cpuNs(proxy.pid);
    const { completed, seconds } = await load(proxy, forSeconds);
    return { perSecond: completed / seconds, cpuNsEach: (cpuNs(proxy.pid) - before) / completed };
  };
  const rate: RowPlan = {
    id,
    title,
    metric: 'perSecond',
    unit: 'k/s',
    scale: 1e3,
    better: 'more',
    targets: rateTargets,
  };
  const cpu: RowPlan = {
    id: `${id}-cpu`,
    title: `${title}, CPU a ${one}`,
    metric: 'cpuNsEach',
    unit: 'us',
    scale: 1e3,
    better: 'less',
    targets: cpuTargets,
  };
  return { contenders: contendersOf(proxies, run), rows: [rate, cpu] };
}
