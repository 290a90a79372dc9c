/** The round-trip time of a ping while a bulk TCP flow passes through the same translator. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../lab/host.ts';
import { loadScript, startLoad } from './load/commands.ts';
import type { UdpStreamOrders } from './load/udp-stream.ts';
import { type Contender, OURS, type RowPlan, type Sample, type Scenario } from './measure.ts';

/** Not the echo server of the other rows: this one costs almost nothing. */
const ECHO_PORT = 8;
const PROBES_PER_SECOND = 1000;
/** The bulk flow has left slow start when the probes begin, and continues until they have ended. */
const LEAD_SECONDS = 0.5;

const rows = ({ id, title }: { readonly id: string; readonly title: string }): RowPlan[] => [
  {
    id: `${id}-latency-added`,
    title: `${title} under 1 TCP connection, p99 round trip over the median without it`,
    metric: 'addedP99Ms',
    unit: 'ms',
    better: 'less',
    targets: [{ against: 'kernel', bound: 'at most', value: 2 }],
  },
  {
    id: `${id}-latency-p99`,
    title: `${title} under 1 TCP connection, p99 round trip`,
    metric: 'p99Ms',
    unit: 'ms',
    better: 'less',
    targets: [],
  },
  {
    id: `${id}-latency-median`,
    title: `${title} under 1 TCP connection, median round trip`,
    metric: 'medianMs',
    unit: 'ms',
    better: 'less',
    targets: [],
  },
  {
    id: `${id}-latency-idle`,
    title: `${title} without other traffic, median round trip`,
    metric: 'idleMedianMs',
    unit: 'ms',
    better: 'less',
    targets: [],
  },
];

/**
 * Kernel forwarding and ours in turn: first probes alone, then probes beside an iperf3 flow to the server, which has an iperf3
 * server on `iperfPort`. `serverBy` is the server's address by contender, as the client uses it.
 */
export async function latencyScenario(
  { client, server }: { readonly client: Host; readonly server: Host },
  serverBy: Readonly<Record<string, string>>,
  iperfPort: number,
  variant: { readonly id: string; readonly title: string },
): Promise<Scenario> {
  const echo = server.spawn(process.execPath, [loadScript('udp-echo.ts'), String(ECHO_PORT)]);
  await echo.waitForLine(/^ready/);
  const stream = await startLoad<UdpStreamOrders>(client, 'udp-stream.ts');

  async function run(address: string, seconds: number): Promise<Sample> {
    const probe = (forSeconds: number) =>
      stream.order('stream', {
        address,
        port: ECHO_PORT,
        packetsPerSecond: PROBES_PER_SECOND,
        seconds: forSeconds,
      });
    const idle = await probe(seconds / 2);
    const bulkSeconds = Math.ceil(seconds + 2 * LEAD_SECONDS);
    const bulk = client.run(
      'iperf3',
      ['--client', address, '--port', String(iperfPort), '--time', String(bulkSeconds)],
      { timeoutMs: bulkSeconds * 1000 + 15_000 },
    );
    const [, busy] = await Promise.all([bulk, delay(LEAD_SECONDS * 1000).then(() => probe(seconds))]);
    return {
      idleMedianMs: idle.medianMs,
      medianMs: busy.medianMs,
      p99Ms: busy.p99Ms,
      addedP99Ms: busy.p99Ms - idle.medianMs,
    };
  }
  const contenders = ['kernel', OURS].map(
    (name): Contender => ({ name, run: (seconds) => run(serverBy[name], seconds) }),
  );
  return { contenders, rows: rows(variant) };
}
