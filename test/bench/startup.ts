/**
 * Start-up: the time from the exec of the process until each of its services has served a client once, and its memory after it
 * has settled.
 */
import { join } from 'node:path';
import { buildTopology } from '../../lab/topology.ts';
import { monotonicMs } from './load/clock.ts';
import { loadScript, startLoad } from './load/commands.ts';
import type { Probe, ProbeOrders } from './load/probe.ts';
import { OURS, type RowPlan } from './measure.ts';
import { type HostName, topology } from './nat64.ts';
import { residentBytes } from './proc.ts';
import { type Subject, type SubjectOptions, openSubject, settle, untilAnswered } from './subject.ts';
import { startTombolo } from './tombolo.ts';

const ISLAND_SERVER = '2001:db8:1::2';
const SSH_PORT = 22_001;
const ECHO_PORT = 7;

/** The requests, by the host of the topology that sends them. */
const PROBES: {
  readonly [Host in HostName]: readonly Probe[];
} = {
  client: [
    {
      name: 'dns64',
      kind: 'dns',
      address: '2001:db8:1::1',
      port: 53,
      question: 'www.example.com',
      type: 'AAAA',
    },
    {
      name: 'nat64',
      kind: 'udp-echo',
      address: '64:ff9b::198.51.100.2',
      port: ECHO_PORT,
    },
  ],
  router: [{ name: 'admin', kind: 'http', address: '127.0.0.1', port: 8064 }],
  server: [
    {
      name: 'proxy tls',
      kind: 'tls',
      address: '198.51.100.1',
      port: 443,
      serverName: 'www.example.com',
    },
    { name: 'proxy http', kind: 'http', address: '198.51.100.1', port: 80 },
    {
      name: 'forward',
      kind: 'tls',
      address: '198.51.100.1',
      port: SSH_PORT,
      serverName: 'www.example.com',
    },
  ],
};

const CONFIGURATION = {
  hosts: [
    {
      name: 'web1',
      address: ISLAND_SERVER,
      hostnames: ['www.example.com'],
      ssh: { port: SSH_PORT, targetPort: 443 },
    },
  ],
  dns64: { upstreams: ['udp://198.51.100.2'] },
  nat64: { pool4: [{ address: '198.51.100.1', ports: '32768-65535' }] },
};

/** A start with an empty compile cache, or with that of an earlier start (an image comes with a filled one). */
type StartKind = 'first' | 'later';

function startupRows(kind: StartKind): RowPlan[] {
  const title = kind === 'first' ? 'First start' : 'Later start';
  const timeRow = (metric: string, what: string, targets: RowPlan['targets']): RowPlan => ({
    id: `startup-${kind}-${metric.replace(' ', '-')}`,
    title: `${title}, until ${what}`,
    metric,
    unit: 's',
    better: 'less',
    targets,
  });
  const services = Object.values(PROBES).flat();
  return [
    timeRow('all', 'every service answers', [{ bound: 'at most', value: 2 }]),
    ...services.map(({ name }) => timeRow(name, `${name} answers`, [])),
    {
      id: `startup-${kind}-rss`,
      title: `${title}, RSS of the whole process, settled`,
      metric: 'rssBytes',
      unit: 'MB',
      scale: 1e6,
      better: 'less',
      targets: kind === 'later' ? [{ bound: 'at most', value: 150 }] : [],
    },
  ];
}

export const openStartup = (options: SubjectOptions): Promise<Subject> =>
  openSubject(async (stack) => {
    const { hosts, directory } = stack.use(await buildTopology(topology(options)));
    await hosts.client.run('ip', ['address', 'add', '2001:db8:1::3/64', 'dev', 'eth0', 'nodad']);
    const backend = hosts.client.spawn(process.execPath, [
      loadScript('tcp-backend.ts'),
      '443',
      '::1',
      ISLAND_SERVER,
      '2001:db8:1::3',
    ]);
    await backend.waitForListener('tcp', 443);
    const authority = hosts.server.spawn(process.execPath, [
      loadScript('dns-authority.ts'),
      '198.51.100.2',
      '53',
    ]);
    await authority.waitForLine(/^ready/);
    const echo = hosts.server.spawn(process.execPath, [loadScript('udp-server.ts'), String(ECHO_PORT), '9']);
    await echo.waitForLine(/^ready/);
    const askers = await Promise.all(
      (['client', 'router', 'server'] as const).map(async (name) => ({
        probes: PROBES[name],
        load: await startLoad<ProbeOrders>(hosts[name], 'probe.ts'),
      })),
    );
    let starts = 0;

    async function run(kind: StartKind) {
      const state = join(directory, kind === 'first' ? `first${starts++}` : 'later');
      const startedAt = monotonicMs();
      await using tombolo = startTombolo(hosts.router, {
        main: options.main,
        directory: state,
        configuration: CONFIGURATION,
      });
      const answers = await Promise.all(
        askers.map(({ load, probes }) => untilAnswered(load, probes, [tombolo])),
      );
      const answeredAt: Record<string, number> = Object.assign({}, ...answers);
      await settle();
      const elapsed = Object.entries(answeredAt).map(([name, at]): [string, number] => [
        name,
        (at - startedAt) / 1000,
      ]);
      return {
        ...Object.fromEntries(elapsed),
        all: Math.max(...elapsed.map(([, seconds]) => seconds)),
        rssBytes: residentBytes(tombolo.pid),
      };
    }

    return (['first', 'later'] as const).map((kind) => ({
      contenders: [{ name: OURS, run: () => run(kind) }],
      rows: startupRows(kind),
    }));
  });
