/** The resolver's report: its state, its figures, and its limits. */
import type { Limit } from '../../runtime/limits.ts';
import type { ServiceStatus } from '../../runtime/report.ts';
import type { SupervisedWorker } from '../../runtime/supervise-worker.ts';
import { type Text, say, sentences } from '../../texts/text.ts';
import { type AnswerSource, MAX_WAITING } from './answer-source.ts';
import { MAX_IN_FLIGHT } from './resolve.ts';
import { MAX_CONNECTIONS } from './stream.ts';
import type { Trouble } from '../../net/dns-upstreams.ts';

const SEE_QUERIES = say(
  'Upstreams answer slowly, or one client sends many queries: see in the timeline which one. It is refused first.',
);

type UpstreamStatus = ReturnType<AnswerSource['upstreams']>[number];

export interface Reported {
  readonly source: Pick<AnswerSource, 'upstreams' | 'cacheEntries' | 'inFlight' | 'waiting'>;
  readonly worker: Pick<SupervisedWorker<never>, 'alive' | 'restarts'> | undefined;
  readonly tcpConnections: number;
  /** The problem of the sockets. */
  readonly problem: Text | undefined;
  /** The service's counters. */
  readonly counts: Readonly<Record<'queries-udp' | 'queries-tcp' | 'hits', number>>;
}

export function statusOf({ source, worker, tcpConnections, problem, counts }: Reported): ServiceStatus {
  const upstreams = source.upstreams();
  const problems = [
    worker?.alive ? undefined : say('The thread that answers from the cache is being started again'),
    ...problemsOf(upstreams),
    problem,
  ];
  const isWell = problems.every((each) => each === undefined);
  const queries = counts['queries-udp'] + counts['queries-tcp'];
  return {
    ...(isWell ? { state: 'running' } : { state: 'degraded', problem: sentences(...problems) }),
    restarts: worker?.restarts ?? 0,
    figures: {
      cacheEntries: source.cacheEntries,
      hitPercent: queries === 0 ? 0 : Math.round((counts.hits / queries) * 1000) / 10,
      inFlight: source.inFlight,
      tcpConnections,
      ...Object.fromEntries(upstreams.map((each) => [each.text, stateOf(each)])),
    },
  };
}

function problemsOf(upstreams: readonly UpstreamStatus[]): (Text | undefined)[] {
  const isNoneWell = upstreams.every(({ trouble }) => trouble !== undefined);
  const inTrouble = (which: Trouble) =>
    upstreams.flatMap(({ text, trouble }) => (trouble === which ? [text] : [])).join(', ');
  const [silent, erring] = [inTrouble('silent'), inTrouble('errors')];
  const loops = upstreams.filter(({ isOurs }) => isOurs);
  return [
    loops.length > 0
      ? say('{upstreams} is this resolver itself, so it is not asked: remove it from dns64.upstreams', {
          upstreams: loops.map(({ text }) => text).join(', '),
        })
      : isNoneWell && silent !== ''
        ? say('None of the upstreams answers: check the route to {upstreams}', { upstreams: silent })
        : undefined,
    isNoneWell && loops.length === 0 && erring !== ''
      ? say(
          '{upstreams} answers with errors only: it refuses this network, is out of order itself, or leads back here; set another in dns64.upstreams',
          { upstreams: erring },
        )
      : undefined,
  ];
}

function stateOf({ isOurs, trouble, rttMs }: UpstreamStatus): Text {
  if (isOurs) return say('this resolver itself');
  if (trouble === 'silent') return say('down');
  if (trouble === 'errors') return say('errors only');
  if (rttMs === undefined) return say('not asked yet');
  return say('up, {milliseconds} ms', { milliseconds: Math.round(rttMs * 10) / 10 });
}

export const limitsOf = ({
  source,
  tcpConnections,
}: Pick<Reported, 'source' | 'tcpConnections'>): readonly Limit[] => [
  { what: say('TCP connections'), used: tcpConnections, size: MAX_CONNECTIONS, advice: SEE_QUERIES },
  { what: say('queries to upstreams'), used: source.inFlight, size: MAX_IN_FLIGHT, advice: SEE_QUERIES },
  {
    what: say('queries that wait for upstreams'),
    used: source.waiting,
    size: MAX_WAITING,
    advice: SEE_QUERIES,
  },
];
