/**
 * Cached DNS answers compared with unbound, by dnsperf over loopback UDP. Both resolvers forward to the same stand-in, which
 * has an A record and no AAAA record for every name, and both synthesise.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lab/host.ts';
import { buildTopology } from '../../lab/topology.ts';
import { loadScript, startLoad } from './load/commands.ts';
import type { ProbeOrders } from './load/probe.ts';
import { OURS, type Scenario } from './measure.ts';
import { writeUnbound } from './peers.ts';
import { cpuNs } from './proc.ts';
import { type Subject, type SubjectOptions, cpus, openSubject, pinned, untilSettled } from './subject.ts';
import { startTombolo } from './tombolo.ts';

const PORT = 53;
const UPSTREAM = { address: '127.0.0.9', port: 5300 } as const;
const PREFIX = '64:ff9b::/96';
const NAMES = 400;
const CLIENTS = 8;
const OUTSTANDING = 256;

interface Resolver {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

export const openDns = ({ main }: SubjectOptions): Promise<Subject> =>
  openSubject(async (stack) => {
    const { hosts, directory } = stack.use(
      await buildTopology({
        hosts: { bench: { interfaces: {}, sysctls: {} } },
      }),
    );
    const host = hosts.bench;
    const { measured, load } = cpus();
    const authority = host.spawn(process.execPath, [
      loadScript('dns-authority.ts'),
      UPSTREAM.address,
      String(UPSTREAM.port),
    ]);
    await authority.waitForLine(/^ready/);
    const configuration = {
      dns64: {
        listen: ['127.0.0.1'],
        prefixes: [PREFIX],
        upstreams: [`udp://${UPSTREAM.address}:${UPSTREAM.port}`],
        allow: ['127.0.0.0/8'],
      },
      nat64: { enabled: false },
    };
    const ours = startTombolo(host, {
      main,
      directory,
      configuration,
      cpu: measured,
    });
    const unboundFile = writeUnbound(directory, {
      address: '127.0.0.2',
      port: PORT,
      upstream: UPSTREAM.address,
      upstreamPort: UPSTREAM.port,
      dns64Prefix: PREFIX,
    });
    const unbound = host.spawn(...pinned(measured, 'unbound', '-d', '-c', unboundFile));
    const resolvers: Resolver[] = [
      { name: OURS, address: '127.0.0.1', pid: ours.pid },
      { name: 'unbound', address: '127.0.0.2', pid: unbound.pid },
    ];
    const probe = await startLoad<ProbeOrders>(host, 'probe.ts');
    await untilSettled(
      probe,
      resolvers.map(({ name, address }) => ({
        name,
        kind: 'dns' as const,
        address,
        port: PORT,
        question: 'ready.example.com',
        type: 'AAAA' as const,
      })),
      [ours, unbound],
    );
    const scenarios: Scenario[] = [];
    for (const type of ['A', 'AAAA'] as const) {
      const file = join(directory, `queries-${type}`);
      writeFileSync(file, Array.from({ length: NAMES }, (_, i) => `host${i}.example.com ${type}\n`).join(''));
      for (const { address } of resolvers) await dnsperf(host, address, file, ['-n', '1', '-q', '20'], load);
      scenarios.push({
        contenders: resolvers.map(({ name, address, pid }) => ({
          name,
          run: async (seconds) => {
            const before = cpuNs(pid);
            const limits = ['-l', String(seconds), '-c', String(CLIENTS), '-q', String(OUTSTANDING)];
            const { completed, perSecond } = await dnsperf(host, address, file, limits, load);
            return {
              answersPerSecond: perSecond,
              cpuNsPerAnswer: (cpuNs(pid) - before) / completed,
            };
          },
        })),
        rows: rows(type),
      });
    }
    return scenarios;
  });

function rows(type: 'A' | 'AAAA'): Scenario['rows'] {
  const title = type === 'A' ? 'DNS, cached A' : 'DNS, cached AAAA, synthesised';
  return [
    {
      id: `dns-${type.toLowerCase()}`,
      title: `${title}, answers`,
      metric: 'answersPerSecond',
      unit: 'k/s',
      scale: 1e3,
      better: 'more',
      targets: [{ against: 'unbound', bound: 'at least', value: 1 }],
    },
    {
      id: `dns-${type.toLowerCase()}-cpu`,
      title: `${title}, CPU an answer`,
      metric: 'cpuNsPerAnswer',
      unit: 'us',
      scale: 1e3,
      better: 'less',
      targets: [],
    },
  ];
}

/** A busy machine loses some; a higher share would mean that a resolver drops load instead of answering. */
const MAX_LOST_SHARE = 0.01;

/** Runs dnsperf; fails unless nearly all queries came back and all of them with NOERROR. */
async function dnsperf(
  host: Host,
  address: string,
  file: string,
  limits: readonly string[],
  cpu: number | undefined,
): Promise<{ completed: number; perSecond: number }> {
  const [command, args] = pinned(
    cpu,
    'dnsperf',
    '-s',
    address,
    '-p',
    String(PORT),
    '-d',
    file,
    '-t',
    '1',
    ...limits,
  );
  const { stdout } = await host.run(command, args, { timeoutMs: 60_000 });
  const number = (label: string) => Number(new RegExp(`${label}:\\s+([0-9.]+)`).exec(stdout)?.[1]);
  const completed = number('Queries completed');
  const lost = number('Queries lost');
  if (
    !(completed > 0 && lost <= completed * MAX_LOST_SHARE) ||
    !/Response codes:\s+NOERROR [0-9]+ \(100/.test(stdout)
  )
    throw new Error(`dnsperf against ${address} went wrong:\n${stdout}`);
  return { completed, perSecond: number('Queries per second') };
}
