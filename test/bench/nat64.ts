/**
 * NAT64 compared with the kernel's own IPv6 forwarding and tayga, all running at once in one topology. Each is reached by its
 * own address of the server, and costs nothing while another is measured:
 *
 *     client (IPv6) -- router: kernel, tombolo, tayga -- server (IPv4 and IPv6)
 */
import type { Child, Host } from '../../lab/host.ts';
import { type Topology, type TopologySpec, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type LoadProcess, loadScript, startLoad } from './load/commands.ts';
import type { ProbeOrders } from './load/probe.ts';
import type { UdpFloodOrders } from './load/udp-flood.ts';
import { type Contender, OURS, type RowPlan, type Sample, type Scenario, type Target } from './measure.ts';
import { latencyScenario } from './nat64-latency.ts';
import { writeTayga } from './peers.ts';
import { arrivedDatagrams, cpuNs } from './proc.ts';
import { type Subject, type SubjectOptions, cpus, openSubject, tcpSysctls, untilSettled } from './subject.ts';
import { startTombolo } from './tombolo.ts';

const ECHO_PORT = 7;
const SINK_PORT = 9;
const IPERF_PORT = 5201;
const UDP_FLOWS = 32;
const UDP_PAYLOAD_BYTES = 64;

const TAYGA_PREFIX = '2001:db8:64::/96';
const TAYGA_POOL = '203.0.113.0/24';

/** The address at which the client reaches the server through each contender. */
const SERVER_BY: Readonly<Record<string, string>> = {
  kernel: '2001:db8:2::2',
  [OURS]: '64:ff9b::198.51.100.2',
  tayga: '2001:db8:64::198.51.100.2',
};

/** Also used to measure the start-up. */
export const topology = (options: SubjectOptions) =>
  ({
    hosts: {
      client: {
        interfaces: {
          eth0: { segment: 'island', addresses: ['2001:db8:1::2/64'] },
        },
        routes: ['default via 2001:db8:1::1'],
        sysctls: tcpSysctls(options),
      },
      router: {
        interfaces: {
          lan: { segment: 'island', addresses: ['2001:db8:1::1/64'] },
          wan: {
            segment: 'mainland',
            addresses: ['198.51.100.1/24', '2001:db8:2::1/64'],
          },
        },
        router: true,
        sysctls: tcpSysctls(options),
      },
      server: {
        interfaces: {
          eth0: {
            segment: 'mainland',
            addresses: ['198.51.100.2/24', '2001:db8:2::2/64'],
          },
        },
        routes: [`${TAYGA_POOL} via 198.51.100.1`, 'default via 2001:db8:2::1'],
        sysctls: tcpSysctls(options),
      },
    },
  }) as const satisfies TopologySpec;

export type HostName = keyof ReturnType<typeof topology>['hosts'];
type Hosts = Topology<HostName>['hosts'];

/** The variant that is measured, and the names of its rows. */
interface Variant {
  readonly fastPath: boolean;
  readonly id: string;
  readonly title: string;
}

/** As on the appliance: the kernel takes over established flows. */
export const openNat64 = (options: SubjectOptions): Promise<Subject> =>
  open(options, { fastPath: true, id: 'nat64', title: 'NAT64' });

/** The translator without the kernel's help, as on kernels that lack it. Every flow begins like this. */
export const openNat64Translator = (options: SubjectOptions): Promise<Subject> =>
  open(options, { fastPath: false, id: 'nat64-translator', title: 'NAT64 without fast path' });

/** Starts everything and tests each path with a datagram in both directions. */
const open = (options: SubjectOptions, { fastPath, id, title }: Variant): Promise<Subject> =>
  openSubject(async (stack) => {
    const { hosts, directory } = stack.use(await buildTopology(topology(options)));
    const configuration = {
      nat64: {
        pool4: [{ address: '198.51.100.1', ports: '32768-65535' }],
        allow: ['2001:db8:1::/64'],
        fastPath,
      },
      dns64: { enabled: false },
    };
    const processes: Readonly<Record<string, Child | undefined>> = {
      kernel: undefined,
      [OURS]: startTombolo(hosts.router, { main: options.main, directory, configuration }),
      tayga: await startTayga(hosts.router, directory),
    };
    const server = hosts.server.spawn(process.execPath, [
      loadScript('udp-server.ts'),
      String(ECHO_PORT),
      String(SINK_PORT),
    ]);
    await server.waitForLine(/^ready/);
    const iperf = hosts.server.spawn('iperf3', ['--server', '--port', String(IPERF_PORT)]);
    await iperf.waitForListener('tcp', IPERF_PORT);

    const probe = await startLoad<ProbeOrders>(hosts.client, 'probe.ts');
    await untilSettled(
      probe,
      Object.entries(SERVER_BY).map(([name, address]) => ({
        name,
        kind: 'udp-echo' as const,
        address,
        port: ECHO_PORT,
      })),
      Object.values(processes).filter((child) => child !== undefined),
    );
    const flood = await startLoad<UdpFloodOrders>(hosts.client, 'udp-flood.ts', cpus().load);

    const contenders = (run: (name: string, translator: Child | undefined) => Contender['run']) =>
      Object.entries(processes).map(([name, translator]) => ({
        name,
        run: run(name, translator),
      }));
    return [
      ...[1, 8].flatMap((connections) =>
        [false, true].map(
          (reverse): Scenario => ({
            contenders: contenders(
              (name, translator) => (seconds) =>
                runIperf(hosts, SERVER_BY[name], { connections, reverse, seconds }, translator),
            ),
            rows: tcpRows(connections, reverse, { id, title }),
          }),
        ),
      ),
      await latencyScenario(hosts, SERVER_BY, IPERF_PORT, { id, title }),
      {
        contenders: contenders(
          (name, translator) => (seconds) => runFlood(flood, server, SERVER_BY[name], seconds, translator),
        ),
        rows: [
          {
            id: `${id}-udp-packets`,
            title: `${title} UDP, ${UDP_PAYLOAD_BYTES} bytes, ${UDP_FLOWS} flows, arrived`,
            metric: 'packetsPerSecond',
            unit: 'k/s',
            scale: 1e3,
            better: 'more',
            targets: [{ against: 'tayga', bound: 'at least', value: 1.3 }],
          },
          {
            id: `${id}-udp-cpu`,
            title: `${title} UDP, CPU an arrived packet`,
            metric: 'cpuNsPerPacket',
            unit: 'ns',
            better: 'less',
            targets: [],
          },
        ],
      },
    ];
  });

function tcpRows(
  connections: number,
  reverse: boolean,
  variant: { readonly id: string; readonly title: string },
): RowPlan[] {
  const direction = reverse ? 'from IPv4' : 'to IPv4';
  const title = `${variant.title} TCP, ${connections === 1 ? '1 connection' : `${connections} connections`}, ${direction}`;
  const id = `${variant.id}-tcp-${connections}-${reverse ? 'from' : 'to'}-ipv4`;
  const targets: Target[] = [
    { against: 'kernel', bound: 'at least', value: 0.62 },
    { against: 'tayga', bound: 'at least', value: 8 },
  ];
  return [
    {
      id,
      title,
      metric: 'bitsPerSecond',
      unit: 'Gbit/s',
      scale: 1e9,
      better: 'more',
      targets,
    },
    {
      id: `${id}-cpu`,
      title: `${title}, CPU`,
      metric: 'cpuNsPerByte',
      unit: 'ns/byte',
      better: 'less',
      targets: [],
    },
    {
      id: `${id}-path-cpu`,
      title: `${title}, CPU of client, translator and server`,
      metric: 'pathCpuNsPerByte',
      unit: 'ns/byte',
      better: 'less',
      targets: [],
    },
  ];
}

async function startTayga(router: Host, directory: string): Promise<Child> {
  const file = writeTayga(directory, {
    device: 'tayga',
    prefix: TAYGA_PREFIX,
    ownAddress: '203.0.113.1',
    pool: TAYGA_POOL,
  });
  await router.run('tayga', ['--config', file, '--mktun']);
  await router.run('ip', ['link', 'set', 'tayga', 'up']);
  await router.run('ip', ['route', 'add', TAYGA_PREFIX, 'dev', 'tayga']);
  await router.run('ip', ['route', 'add', TAYGA_POOL, 'dev', 'tayga']);
  return router.spawn('tayga', ['--config', file, '--nodetach']);
}

/** The part of iperf3's JSON that is used here. */
interface IperfReport {
  readonly end: {
    readonly sum_received: {
      readonly bits_per_second: number;
      readonly bytes: number;
      readonly seconds: number;
    };
    /** In percent of one CPU, during the test. */
    readonly cpu_utilization_percent: { readonly host_total: number; readonly remote_total: number };
  };
}

/** The CPU time that a translator has used so far. The kernel's own forwarding is not a process, and has no such figure. */
const spentNs = (translator: Child | undefined) =>
  translator === undefined ? undefined : cpuNs(translator.pid);

/** The sample, and the CPU time that the translator (if there is one) has used since `before`, divided by `units`. */
function withCpu(
  sample: Sample,
  metric: string,
  translator: Child | undefined,
  before: number | undefined,
  units: number,
): Sample {
  const after = spentNs(translator);
  return after === undefined || before === undefined
    ? sample
    : { ...sample, [metric]: (after - before) / units };
}

async function runIperf(
  { client }: Hosts,
  address: string,
  { connections, reverse, seconds }: { connections: number; reverse: boolean; seconds: number },
  translator: Child | undefined,
) {
  const before = spentNs(translator);
  const argv = [
    '--client',
    address,
    '--port',
    IPERF_PORT,
    '--json',
    '--time',
    seconds,
    '--parallel',
    connections,
  ];
  const { stdout } = await client.run('iperf3', [...argv.map(String), ...(reverse ? ['--reverse'] : [])], {
    timeoutMs: seconds * 1000 + 15_000,
  });
  const { sum_received: received, cpu_utilization_percent: ends } = (JSON.parse(stdout) as IperfReport).end;
  const { bits_per_second: bitsPerSecond, bytes } = received;
  const endsNsPerByte = ((ends.host_total + ends.remote_total) * received.seconds * 1e7) / bytes;
  const sample = withCpu({ bitsPerSecond }, 'cpuNsPerByte', translator, before, bytes);
  return { ...sample, pathCpuNsPerByte: endsNsPerByte + (sample['cpuNsPerByte'] ?? 0) };
}

async function runFlood(
  flood: LoadProcess<UdpFloodOrders>,
  server: Child,
  address: string,
  seconds: number,
  translator: Child | undefined,
) {
  const cpuBefore = spentNs(translator);
  const arrivedBefore = arrivedDatagrams(server.pid);
  const sent = await flood.order('flood', {
    address,
    port: SINK_PORT,
    flows: UDP_FLOWS,
    payloadBytes: UDP_PAYLOAD_BYTES,
    seconds,
  });
  // Datagrams that are still in the translator's queue count too.
  let arrived = 0;
  await waitUntil('the last datagrams', () => {
    const previously = arrived;
    arrived = arrivedDatagrams(server.pid) - arrivedBefore;
    return arrived === previously;
  });
  if (arrived === 0) throw new Error(`no datagram to ${address} arrived`);
  const sample = {
    packetsPerSecond: arrived / sent.seconds,
    sentPerSecond: sent.sent / sent.seconds,
  };
  return withCpu(sample, 'cpuNsPerPacket', translator, cpuBefore, arrived);
}
