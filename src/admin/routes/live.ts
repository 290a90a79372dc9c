/** What happens now and what happened before: the event log, the live stream, the history. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from '../../config/json-schema.ts';
import { EVENT_KINDS } from '../../state/event-kinds.ts';
import type { EventFilter } from '../../state/event-log.ts';
import { HISTORY_SERIES, HOST_SERIES } from '../../state/history-series.ts';
import { type IpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import type { AdminDeps } from '../deps.ts';
import { strict } from '../contract/common.ts';
import {
  type EventsAnswer,
  type EventsQuery,
  HistoryAnswer,
  eventsAnswer,
  eventsQuery,
} from '../contract/live.ts';
import { ApiError, invalidInput } from '../api-error.ts';
import { translated } from '../language.ts';
import { createLiveStream, LIVE_TOPICS, type LiveTopic, MAX_STREAMS } from '../live-stream.ts';
import { say } from '../../texts/text.ts';

const DEFAULT_EVENTS = 100;
const DEFAULT_POINTS = 300;
const HOUR_MS = 3_600_000;
/** A little more than what is kept. */
const LONGEST_SPAN_MS = 31 * 24 * HOUR_MS;

const Events = eventsAnswer(EVENT_KINDS.map(({ shape }) => shape));
const Query = eventsQuery(EVENT_KINDS.map(({ name }) => name));
const { cursor: _cursor, limit: _limit, ...filterParameters } = Query.properties;

const TOPIC = `(${LIVE_TOPICS.join('|')})`;
const LiveQuery = Type.Object(
  {
    ...filterParameters,
    topics: Type.Optional(
      Type.String({
        pattern: `^${TOPIC}(,${TOPIC})*$`,
        title: 'What to hear of',
        expected: `one of ${LIVE_TOPICS.join(', ')}, or several with commas`,
      }),
    ),
  },
  strict,
);

const UNITS: Readonly<Record<string, string>> = { ...HISTORY_SERIES, ...HOST_SERIES };
const SERIES = `(${Object.keys(UNITS).join('|')})`;
const moment = (title: string) =>
  Type.Optional(
    Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?Z$',
      title,
      expected: 'a time in UTC such as 2026-01-02T03:04:05Z',
    }),
  );
const HistoryQuery = Type.Object(
  {
    series: Type.String({
      pattern: `^${SERIES}(,${SERIES})*$`,
      title: 'Which series',
      expected: `one of ${Object.keys(UNITS).join(', ')}, or several with commas`,
    }),
    host: Type.Optional(
      Type.String({ pattern: '^[^\\s]{1,63}$', title: 'Which server', expected: 'the name of a server' }),
    ),
    from: moment('The beginning'),
    to: moment('The end'),
    points: Type.Optional(
      Type.String({
        pattern: '^([1-9][0-9]{0,2}|1000)$',
        title: 'Points at most',
        expected: 'a whole number from 1 to 1000',
      }),
    ),
  },
  strict,
);

function toFilter(
  { kind, client, server, text }: Omit<EventsQuery, 'cursor' | 'limit'>,
  { words }: FastifyRequest,
): EventFilter {
  return {
    kinds: kind?.split(','),
    client: client === undefined ? undefined : (parseIpPrefix(client) as IpPrefix),
    server,
    text,
    words,
  };
}

/** The last event that a browser received before it lost the stream; undefined if the header is missing or invalid. */
function lastEventId({ headers }: FastifyRequest): number | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && /^[0-9]{1,16}$/.test(id) ? Number(id) : undefined;
}

function toSpan(from: string | undefined, to: string | undefined): { fromMs: number; toMs: number } {
  const toMs = to === undefined ? Date.now() : Date.parse(to);
  const fromMs = from === undefined ? toMs - HOUR_MS : Date.parse(from);
  if (fromMs < toMs && toMs - fromMs <= LONGEST_SPAN_MS) return { fromMs, toMs };
  const expected = say('a "from" before "to", at most 31 days apart');
  const message = say('"{from}" to "{to}": expected {expected}', {
    from: from ?? say('an hour before'),
    to: to ?? say('now'),
    expected,
  });
  throw invalidInput('/from', expected, message);
}

export const liveRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  const { events, history, stopping } = deps.live;
  const stream = createLiveStream({ ...deps, ...deps.live });
  const stop = () => stream.close('stopping');
  stopping.addEventListener('abort', stop);
  app.addHook('preClose', async () => {
    stopping.removeEventListener('abort', stop);
    stop();
  });

  app.get<{ Querystring: EventsQuery }>(
    '/events',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Connections, queries, mappings, changes of services and of health, newest first',
        querystring: Query,
        response: { 200: Events },
      },
    },
    async (request): Promise<EventsAnswer> => {
      const { query } = request;
      const cursor = query.cursor === undefined ? undefined : Number(query.cursor);
      const page = events.page(toFilter(query, request), cursor, Number(query.limit ?? DEFAULT_EVENTS));
      return translated(request, page) as EventsAnswer;
    },
  );

  app.get<{ Querystring: Static<typeof LiveQuery> }>(
    '/live',
    {
      config: { scope: 'read' },
      schema: { summary: 'Status, counters, figures and events as they come (SSE)', querystring: LiveQuery },
    },
    async (request, reply) => {
      const { remoteAddress } = request.socket;
      if (!stream.hasRoomFor(remoteAddress)) {
        const message = say('{count} pages are open already; close one.', { count: MAX_STREAMS });
        throw new ApiError(429, 'too-many-streams', message);
      }
      const { topics, ...filter } = request.query;
      const principal = request.principal ?? { isValid: () => false };
      reply.hijack();
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      stream.listen({
        response: reply.raw,
        remoteAddress,
        principal,
        topics: new Set((topics?.split(',') as LiveTopic[] | undefined) ?? LIVE_TOPICS),
        filter: toFilter(filter, request),
        lastEventId: lastEventId(request),
        words: request.words,
      });
    },
  );

  app.get<{ Querystring: Static<typeof HistoryQuery> }>(
    '/history',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Figures over time, of up to 30 days',
        querystring: HistoryQuery,
        response: { 200: HistoryAnswer },
      },
    },
    async ({ query }): Promise<HistoryAnswer> => {
      const { fromMs, toMs } = toSpan(query.from, query.to);
      const names = [...new Set(query.series.split(','))];
      const ofHosts = names.filter((name) => name in HOST_SERIES);
      if (ofHosts.length !== (query.host === undefined ? 0 : names.length)) {
        const names = Object.keys(HOST_SERIES).join(', ');
        const expected = say('{names} with "host", the others without', { names });
        const message = say('"{value}": expected {expected}', { value: query.series, expected });
        throw invalidInput('/series', expected, message);
      }
      const page = await history.query({
        series: names,
        host: query.host,
        fromMs,
        toMs,
        points: Number(query.points ?? DEFAULT_POINTS),
      });
      return {
        from: new Date(page.fromMs).toISOString(),
        to: new Date(page.toMs).toISOString(),
        stepSeconds: page.stepSeconds,
        series: page.series.map((each) => ({ ...each, unit: UNITS[each.name] })),
      };
    },
  );
};
