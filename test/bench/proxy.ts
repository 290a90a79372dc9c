/**
 * The TLS proxy compared with nginx and HAProxy: all run at once on one host, each on its own loopback address, in front of the
 * same IPv6 backends on another host. No TLS is decrypted: after a real ClientHello the bytes are plain.
 *
 *     bench (clients, proxies) eth0 2001:db8:1::1 --- 2001:db8:1::10, ::11, ::12 eth0 servers
 */
import { buildTopology } from '../../lab/topology.ts';
import { type LoadProcess, loadScript, startLoad } from './load/commands.ts';
import type { Probe, ProbeOrders } from './load/probe.ts';
import type { TcpClientOrders } from './load/tcp-client.ts';
import type { Scenario } from './measure.ts';
import type { Backends } from './peers.ts';
import { cpuNs, residentBytes } from './proc.ts';
import {
  type StartedProxy,
  type StartProxy,
  TLS_PORT,
  contendersOf,
  proxyStarts,
  startProxies,
} from './proxy-contenders.ts';
import {
  type Subject,
  type SubjectOptions,
  cpus,
  openSubject,
  pinned,
  tcpSysctls,
  untilSettled,
} from './subject.ts';

const STREAMS = 4;
const CONNECTIONS_AT_ONCE = 32;
/** Idle connections are counted from FEW to MANY, so that memory that a process allocates only once cancels out. */
const FEW_IDLE = 1000;
const MANY_IDLE = 4000;

const BACKENDS = {
  'stream.example.com': '2001:db8:1::10',
  'short.example.com': '2001:db8:1::11',
  'idle.example.com': '2001:db8:1::12',
} as const satisfies Backends;

const target = (address: string, serverName: keyof typeof BACKENDS) => ({
  address,
  port: TLS_PORT,
  serverName,
});

export const openProxy = (options: SubjectOptions): Promise<Subject> =>
  openSubject(async (stack) => {
    const sysctls = { ...tcpSysctls(options), 'net/core/somaxconn': 4096 };
    const backends = Object.values(BACKENDS).map((address) => `${address}/64`);
    const { hosts, directory } = stack.use(
      await buildTopology({
        hosts: {
          bench: {
            interfaces: { eth0: { segment: 'island', addresses: ['2001:db8:1::1/64'] } },
            sysctls: { ...sysctls, 'net/ipv4/ip_local_port_range': '1024 65535' },
          },
          servers: { interfaces: { eth0: { segment: 'island', addresses: backends } }, sysctls },
        },
      }),
    );
    const host = hosts.bench;
    const { measured, load } = cpus();
    const backend = hosts.servers.spawn(
      ...pinned(
        load,
        process.execPath,
        loadScript('tcp-backend.ts'),
        String(TLS_PORT),
        ...Object.values(BACKENDS),
      ),
    );
    await backend.waitForListener('tcp', TLS_PORT);
    const probe = await startLoad<ProbeOrders>(host, 'probe.ts');
    const client = await startLoad<TcpClientOrders>(host, 'tcp-client.ts', load);

    const means = { directory, options, cpu: measured };
    const starts = proxyStarts(host, means, { tls: BACKENDS });
    const proxies = await startProxies(starts, probe, tlsProbe);

    return [
      streamScenario(proxies, client),
      shortScenario(proxies, client),
      {
        // A separate process for each sample: memory that earlier connections left in a heap would hide the cost.
        contenders: Object.entries(starts).map(([name, startProxy], position) => ({
          name,
          run: () => runIdle(name, startProxy, `127.0.1.${position + 1}`, client, probe),
        })),
        rows: [
          {
            id: 'proxy-idle-rss',
            title: `TLS proxy, RSS an idle connection (${FEW_IDLE} to ${MANY_IDLE})`,
            metric: 'bytesPerConnection',
            unit: 'KB',
            scale: 1024,
            better: 'less',
            targets: [{ bound: 'at most', value: 4 }],
          },
          {
            id: 'proxy-idle-rss-from-start',
            title: `TLS proxy, RSS an idle connection (0 to ${MANY_IDLE}, what warms up included)`,
            metric: 'bytesPerConnectionFromStart',
            unit: 'KB',
            scale: 1024,
            better: 'less',
            targets: [],
          },
        ],
      },
    ];
  });

const tlsProbe = (name: string, address: string): Probe => ({
  name,
  kind: 'tls',
  ...target(address, 'short.example.com'),
});

function streamScenario(proxies: readonly StartedProxy[], client: LoadProcess<TcpClientOrders>): Scenario {
  const run = (proxy: StartedProxy) => async (seconds: number) => {
    const before = cpuNs(proxy.pid);
    const { bytes } = await client.order('stream', {
      ...target(proxy.address, 'stream.example.com'),
      connections: STREAMS,
      seconds,
    });
    return {
      bytesPerSecond: bytes / seconds,
      cpuNsPerByte: (cpuNs(proxy.pid) - before) / bytes,
    };
  };
  return {
    contenders: contendersOf(proxies, run),
    rows: [
      {
        id: 'proxy-bytes',
        title: `TLS proxy, ${STREAMS} connections, from the server`,
        metric: 'bytesPerSecond',
        unit: 'GB/s',
        scale: 1e9,
        better: 'more',
        targets: [],
      },
      {
        id: 'proxy-bytes-cpu',
        title: 'TLS proxy, CPU a byte',
        metric: 'cpuNsPerByte',
        unit: 'ns',
        better: 'less',
        targets: [{ against: 'nginx', bound: 'at most', value: 0.6 }],
      },
    ],
  };
}

function shortScenario(proxies: readonly StartedProxy[], client: LoadProcess<TcpClientOrders>): Scenario {
  const run = (proxy: StartedProxy) => async (forSeconds: number) => {
    const before = cpuNs(proxy.pid);
    const { completed, seconds } = await client.order('short', {
      ...target(proxy.address, 'short.example.com'),
      connections: CONNECTIONS_AT_ONCE,
      seconds: forSeconds,
    });
    return {
      connectionsPerSecond: completed / seconds,
      cpuNsPerConnection: (cpuNs(proxy.pid) - before) / completed,
    };
  };
  return {
    contenders: contendersOf(proxies, run),
    rows: [
      {
        id: 'proxy-connections',
        title: `TLS proxy, short connections, ${CONNECTIONS_AT_ONCE} at once`,
        metric: 'connectionsPerSecond',
        unit: 'k/s',
        scale: 1e3,
        better: 'more',
        targets: [],
      },
      {
        id: 'proxy-connections-cpu',
        title: 'TLS proxy, CPU a short connection',
        metric: 'cpuNsPerConnection',
        unit: 'us',
        scale: 1e3,
        better: 'less',
        targets: [{ against: 'nginx', bound: 'at most', value: 1.3 }],
      },
    ],
  };
}

async function runIdle(
  name: string,
  startProxy: StartProxy,
  address: string,
  client: LoadProcess<TcpClientOrders>,
  probe: LoadProcess<ProbeOrders>,
) {
  const { child, pid } = await startProxy(address);
  await using stack = new AsyncDisposableStack();
  stack.use(child);
  await untilSettled(probe, [tlsProbe(name, address)], [child]);
  const idle = target(address, 'idle.example.com');
  const none = residentBytes(pid);
  await client.order('open', { ...idle, connections: FEW_IDLE });
  const few = residentBytes(pid);
  await client.order('open', { ...idle, connections: MANY_IDLE - FEW_IDLE });
  const many = residentBytes(pid);
  await client.order('release', undefined);
  return {
    bytesPerConnection: (many - few) / (MANY_IDLE - FEW_IDLE),
    bytesPerConnectionFromStart: (many - none) / MANY_IDLE,
  };
}
