/**
 * NAT64 with many sessions: the memory that they use, the rate at which they can be created without harm to an existing flow,
 * and their end. Each sample has its own process, because tables stay resident once they have been touched.
 *
 *     client (IPv6) -- router: tombolo -- server (IPv4): 198.51.100.2 and 192.0.2.0/24
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../../lab/host.ts';
import { buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type LoadProcess, loadScript, startLoad } from './load/commands.ts';
import type { NewSessionsOrder, NewSessionsOrders } from './load/new-sessions.ts';
import type { ProbeOrders } from './load/probe.ts';
import type { StreamResult, UdpStreamOrders } from './load/udp-stream.ts';
import { OURS, type RowPlan, type Sample, type Scenario } from './measure.ts';
import { type Nat64Counters, readNat64Counters } from './nat64-counters.ts';
import { sweepScenario } from './nat64-sweep.ts';
import { topology } from './nat64.ts';
import { cpuNs, residentBytes } from './proc.ts';
import { type Subject, type SubjectOptions, cpus, openSubject, untilSettled } from './subject.ts';
import { startTombolo } from './tombolo.ts';

const ECHO_PORT = 7;
/** Datagrams to this port are never read. */
const SINK_PORT = 9;
const SERVER = '64:ff9b::198.51.100.2';
/** More addresses of the server, so that a source port can have many destinations. */
const MANY_SERVERS = '192.0.2.0/24';
const FIRST_OF_MANY = '64:ff9b::192.0.2.1';

/** Sessions of a source port share its mapping (RFC 6146 section 3.1): one address has ports for 32,768 of these. */
const SOURCE_PORTS = 20_000;
const HELD_SESSIONS = 100_000;
/** Well below what the translator can handle: here it only matters that the sessions exist. */
const FILL_PER_SECOND = 25_000;
const MOST_PASSES = 5;
/** A little above the target, so that the created rate reaches it. */
const NEW_PER_SECOND = 51_000;
const ESTABLISHED_PER_SECOND = 5000;
const WARM_UP_SECONDS = 1;
const MAX_SESSIONS = 2 ** 21;

const PROBES_PER_SECOND = 1000;
const BASELINE_SECONDS = 8;
const ICMP_LIFETIME_MS = 60_000;

/** A process that has translated its first packet, and the operations on it. */
interface Translator {
  readonly process: Child;
  counters(): Promise<Nat64Counters>;
  /** A flow in both directions, with `packetsPerSecond` for `seconds`. */
  stream(packetsPerSecond: number, seconds: number): Promise<StreamResult>;
  /** Opens sessions from `first` on; resolves when the packets have been sent. */
  open(
    order: Pick<NewSessionsOrder, 'kind' | 'first' | 'sessions' | 'perSecond' | 'destinations'>,
  ): Promise<{ readonly seconds: number }>;
}

export const openNat64Sessions = (options: SubjectOptions): Promise<Subject> =>
  openSubject(async (stack) => {
    const { hosts, directory } = stack.use(await buildTopology(topology(options)));
    await hosts.server.run('ip', ['route', 'add', 'local', MANY_SERVERS, 'dev', 'lo']);
    await hosts.router.run('ip', ['route', 'add', MANY_SERVERS, 'via', '198.51.100.2']);
    for (const [script, ...ports] of [
      ['udp-echo.ts', ECHO_PORT],
      ['udp-server.ts', ECHO_PORT + 1, SINK_PORT],
    ] as const) {
      const child = hosts.server.spawn(process.execPath, [loadScript(script), ...ports.map(String)]);
      await child.waitForLine(/^ready/);
    }
    const probe = await startLoad<ProbeOrders>(hosts.client, 'probe.ts');
    const streams: LoadProcess<UdpStreamOrders> = await startLoad(hosts.client, 'udp-stream.ts', cpus().load);
    const sessions: LoadProcess<NewSessionsOrders> = await startLoad(
      hosts.client,
      'new-sessions.ts',
      cpus().load,
    );
    let starts = 0;

    /** Runs `use` with a separate process. */
    async function withTranslator(use: (translator: Translator) => Promise<Sample>): Promise<Sample> {
      const state = join(directory, `start${starts++}`);
      await using tombolo = startTombolo(hosts.router, {
        main: options.main,
        directory: state,
        configuration: {
          nat64: {
            pool4: [{ address: '198.51.100.1', ports: '32768-65535' }],
            allow: ['2001:db8:1::/64'],
            maxSessions: MAX_SESSIONS,
            // Here all sessions belong to one client.
            maxMappingsPerClient: 65_535,
            maxSessionsPerClient: MAX_SESSIONS,
          },
          dns64: { enabled: false },
        },
      });
      await untilSettled(
        probe,
        [{ name: OURS, kind: 'udp-echo', address: SERVER, port: ECHO_PORT }],
        [tombolo],
      );
      return await use({
        process: tombolo,
        counters: () => readNat64Counters(hosts.router, state),
        stream: (packetsPerSecond, seconds) =>
          streams.order('stream', { address: SERVER, port: ECHO_PORT, packetsPerSecond, seconds }),
        open: (order) =>
          sessions.order('open', {
            source: '2001:db8:1::2',
            destination: FIRST_OF_MANY,
            port: SINK_PORT,
            ...order,
          }),
      });
    }

    const scenario = (
      run: (translator: Translator, seconds: number) => Promise<Sample>,
      rows: readonly RowPlan[],
    ): Scenario => ({
      contenders: [
        {
          name: OURS,
          run: (seconds) => withTranslator((translator) => run(translator, seconds)),
        },
      ],
      rows,
    });
    return [
      scenario(holdSessions, HELD_ROWS),
      scenario(makeSessions, RATE_ROWS),
      sweepScenario(),
      { ...scenario(expireSessions, EXPIRY_ROWS), isOnce: true },
    ];
  });

/** Waits until every packet that opens a session has been translated, or the number no longer grows. */
async function created(
  { counters }: Translator,
  name: 'sessions-created-udp' | 'sessions-created-icmp',
  expected: number,
): Promise<number> {
  let last = -1;
  return await waitUntil(`${expected} ${name}`, async () => {
    const previous = last;
    last = (await counters())[name];
    return last >= expected || last === previous ? last : undefined;
  });
}

const HELD_ROWS: readonly RowPlan[] = [
  {
    id: 'nat64-sessions-memory',
    title: 'NAT64, RSS over idle with 100,000 UDP sessions',
    metric: 'grownBytes',
    unit: 'MB',
    scale: 1e6,
    better: 'less',
    targets: [{ bound: 'at most', value: 100 }],
  },
];

/**
 * Opens HELD_SESSIONS sessions. A new process may lose packets until its code is compiled. Then all are sent again, which only
 * changes the lifetime of existing sessions. Returns how long the last pass took.
 */
async function fill(translator: Translator, kind: 'udp' | 'icmp'): Promise<{ seconds: number }> {
  const name = `sessions-created-${kind}` as const;
  const before = (await translator.counters())[name];
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const { seconds } = await translator.open({
      kind,
      first: 0,
      sessions: HELD_SESSIONS,
      perSecond: FILL_PER_SECOND,
      destinations: HELD_SESSIONS / SOURCE_PORTS,
    });
    const held = (await created(translator, name, before + HELD_SESSIONS)) - before;
    if (held >= HELD_SESSIONS) return { seconds };
  }
  throw new Error(`not all of ${HELD_SESSIONS} sessions were made`);
}

async function holdSessions(translator: Translator): Promise<Sample> {
  await translator.counters();
  const idleBytes = residentBytes(translator.process.pid);
  await fill(translator, 'udp');
  return { grownBytes: residentBytes(translator.process.pid) - idleBytes };
}

const RATE_ROWS: readonly RowPlan[] = [
  {
    id: 'nat64-sessions-rate',
    title: 'NAT64, new UDP sessions',
    metric: 'createdPerSecond',
    unit: 'k/s',
    scale: 1e3,
    better: 'more',
    targets: [{ bound: 'at least', value: 50 }],
  },
  {
    id: 'nat64-sessions-rate-lost',
    title: 'NAT64, lost meanwhile of an established flow of 5000 packets/s',
    metric: 'lostOfEstablished',
    unit: 'packets',
    better: 'less',
    targets: [{ bound: 'at most', value: 0 }],
  },
  {
    id: 'nat64-sessions-rate-p99',
    title: 'NAT64, p99 round trip of that flow meanwhile',
    metric: 'p99Ms',
    unit: 'ms',
    better: 'less',
    targets: [],
  },
  {
    id: 'nat64-sessions-rate-cpu',
    title: 'NAT64, CPU of the process meanwhile',
    metric: 'cpuPercent',
    unit: '% of one',
    better: 'less',
    targets: [],
  },
];

async function makeSessions(translator: Translator, seconds: number): Promise<Sample> {
  const total = Math.ceil(NEW_PER_SECOND * (seconds + WARM_UP_SECONDS));
  const order = {
    kind: 'udp',
    perSecond: NEW_PER_SECOND,
    destinations: Math.ceil(total / SOURCE_PORTS),
  } as const;
  // The process is new: in the first second its code is still being compiled.
  const warmUp = NEW_PER_SECOND * WARM_UP_SECONDS;
  await Promise.all([
    translator.stream(ESTABLISHED_PER_SECOND, WARM_UP_SECONDS),
    translator.open({ ...order, first: 0, sessions: warmUp }),
  ]);
  const before = await translator.counters();
  const cpuBefore = cpuNs(translator.process.pid);
  const [flow, opened] = await Promise.all([
    translator.stream(ESTABLISHED_PER_SECOND, seconds),
    translator.open({ ...order, first: warmUp, sessions: total - warmUp }),
  ]);
  const cpuPercent = (cpuNs(translator.process.pid) - cpuBefore) / (opened.seconds * 1e7);
  // Includes the session of the flow itself.
  const made =
    (await created(translator, 'sessions-created-udp', before['sessions-created-udp'] + total - warmUp + 1)) -
    before['sessions-created-udp'];
  return {
    createdPerSecond: made / opened.seconds,
    lostOfEstablished: flow.lost,
    p99Ms: flow.p99Ms,
    cpuPercent,
  };
}

const EXPIRY_ROWS: readonly RowPlan[] = [
  {
    id: 'nat64-expiry-round-trip',
    title: 'NAT64, longest round trip while 100,000 ICMP sessions end',
    metric: 'longestMs',
    unit: 'ms',
    better: 'less',
    targets: [],
  },
  {
    id: 'nat64-expiry-round-trip-before',
    title: 'NAT64, longest round trip before that, in as many packets',
    metric: 'longestBeforeMs',
    unit: 'ms',
    better: 'less',
    targets: [],
  },
  {
    id: 'nat64-expiry-lost',
    title: 'NAT64, lost packets while 100,000 ICMP sessions end',
    metric: 'lost',
    unit: 'packets',
    better: 'less',
    targets: [{ bound: 'at most', value: 0 }],
  },
];

async function expireSessions(translator: Translator): Promise<Sample> {
  const { seconds: fillSeconds } = await fill(translator, 'icmp');
  const filledAt = performance.now();
  const probing = async (seconds: number) => await translator.stream(PROBES_PER_SECOND, seconds);
  await probing(1);
  const calm = await probing(BASELINE_SECONDS);
  if ((await translator.counters())['sessions-removed-icmp'] > 0)
    throw new Error('sessions ended before their time');
  await delay(filledAt - fillSeconds * 1000 + ICMP_LIFETIME_MS - 1000 - performance.now());
  const busy = await probing(fillSeconds + 4);
  const removed = (await translator.counters())['sessions-removed-icmp'];
  if (removed < HELD_SESSIONS) throw new Error(`${removed} of ${HELD_SESSIONS} sessions ended in time`);
  return { longestMs: busy.maxMs, longestBeforeMs: calm.maxMs, lost: busy.lost };
}
