/** Charts of the recorded series: pairs that belong together share one chart. */
import { query } from '../core/api.ts';
import type { HistoryAnswer } from '../core/contract.ts';
import type { ChartPart } from '../core/registry.ts';
import { formatBitRate, formatBytes, formatCount, formatNumber, formatPercent } from '../core/format.ts';
import { type Text, say, text } from '../core/locale.ts';
import { useResource } from '../core/resource.ts';
import { Card, Loading } from '../ui/basics.tsx';
import { Chart } from '../ui/chart.tsx';
import { PAGES } from './all.ts';
import { PARTS, partsOf } from './parts.ts';

/** Series that services share. */
const SHARED = {
  connections: say('Open connections'),
  accepted: say('New connections a second'),
};

interface ChartOf {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly series: ChartPart['series'];
}

const degrees = (value: number) => `${formatNumber(value)} °C`;
const percent = (value: number) => formatPercent(value, value < 10 ? 1 : 0);

/** Traffic first, then the shared series, then the other series of each service. */
function allCharts(): ChartOf[] {
  const parts = PARTS.flatMap(({ charts }) => charts?.() ?? []);
  const own = parts.filter((part) => 'title' in part);
  const shared = (['connections', 'accepted'] as const).map((name) => ({
    title: text(SHARED[name]),
    format: formatCount,
    series: parts.flatMap((part) => ('joins' in part && part.joins === name ? part.series : [])),
  }));
  return [
    ...own.filter(({ isTraffic }) => isTraffic === true),
    ...shared,
    ...own.filter(({ isTraffic }) => isTraffic !== true),
    {
      title: text('CPU'),
      format: percent,
      series: [
        ['cpuPercent', text('machine')],
        ['processCpuPercent', 'Tombolo'],
      ],
    },
    {
      title: text('Memory'),
      format: formatBytes,
      series: [
        ['memoryUsedBytes', text('machine')],
        ['processRssBytes', 'Tombolo'],
      ],
    },
    {
      title: text('Temperature'),
      format: degrees,
      series: [['temperatureCelsius', text('machine')]],
    },
  ];
}

/** The charts of one server. */
const hostCharts = (): ChartOf[] => [
  {
    title: text('Throughput'),
    format: formatBitRate,
    series: [
      ['hostUpBytesPerSecond', text('towards the server')],
      ['hostDownBytesPerSecond', text('back')],
    ],
  },
  {
    title: text('Open connections'),
    format: formatCount,
    series: [['hostConnections', text('now')]],
  },
  {
    title: text('New connections a second'),
    format: formatCount,
    series: [['hostAcceptedPerSecond', text('now')]],
  },
];

/** The time spans of the charts, in hours. */
export const SPANS = ['1', '24', '168', '720'] as const;
export type Span = (typeof SPANS)[number];
export const SPAN_TITLES: Readonly<Record<Span, Text>> = {
  '1': say('1 hour'),
  '24': say('1 day'),
  '168': say('7 days'),
  '720': say('30 days'),
};

/** The last hours have a point every ten seconds; days have one every minute. */
const REFRESH_MS = 10_000;
const SLOW_REFRESH_MS = 60_000;
const POINTS = 300;
const HOUR_SECONDS = 3600;

interface HistoryProps {
  readonly title?: string;
  /** Only charts with one of these series; all if omitted. */
  readonly names?: readonly string[];
  /** Shows the charts of this server instead. */
  readonly host?: string;
  readonly hours: number;
}

export function HistoryCharts({ title, names, host, hours }: HistoryProps) {
  const charts = (host === undefined ? allCharts : hostCharts)().filter(
    ({ series }) => names === undefined || series.some(([name]) => names.includes(name)),
  );
  const wanted = charts.flatMap(({ series }) => series.map(([name]) => name));
  // The time in the request is rounded down to the minute, so that its URL does not change with every drawing.
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const from = new Date(minute - hours * HOUR_SECONDS * 1000).toISOString();
  const answer = useResource<HistoryAnswer>(
    `history${query({ series: wanted.join(','), points: POINTS, from, host })}`,
    { everyMs: hours <= 1 ? REFRESH_MS : SLOW_REFRESH_MS },
  );
  const history = answer.data.value;
  const body =
    history === undefined ? (
      <Loading of={answer} />
    ) : (
      charts.map((chart) => <OneChart key={chart.title} chart={chart} history={history} />)
    );
  return title === undefined ? (
    <div class="charts">{body}</div>
  ) : (
    <Card title={title}>
      <div class="charts">{body}</div>
    </Card>
  );
}

function OneChart({ chart, history }: { chart: ChartOf; history: HistoryAnswer }) {
  const found = chart.series.flatMap(([name, title]) => {
    const series = history.series.find((each) => each.name === name);
    return series === undefined ? [] : { title, values: series.mean };
  });
  // A machine without such a sensor has no chart for it.
  if (
    chart.series[0][0] === 'temperatureCelsius' &&
    found.every(({ values }) => values.every((value) => value === null))
  )
    return null;
  return (
    <Chart label={chart.title} times={timesOf(history)} series={found} format={chart.format} heightPx={140} />
  );
}

/** Series of the bytes that services carry in this direction. */
const trafficOf = (direction: 'in' | 'out'): string[] =>
  PAGES.flatMap(({ service }) =>
    service?.direction !== direction
      ? []
      : (partsOf(service.name).charts?.() ?? []).flatMap((chart) =>
          'isTraffic' in chart && chart.isTraffic === true ? chart.series.map(([name]) => name) : [],
        ),
  );

/** The traffic of all services together, each way. */
export function LastHour() {
  const inward = trafficOf('in');
  const outward = trafficOf('out');
  const series = [...inward, ...outward].join(',');
  const { data } = useResource<HistoryAnswer>(`history?series=${series}&points=120`, {
    everyMs: SLOW_REFRESH_MS,
  });
  const history = data.value;
  if (history === undefined) return null;
  const times = timesOf(history);
  const sum = (names: readonly string[]) =>
    times.map((_, index) => {
      const known = history.series.filter(({ name }) => names.includes(name)).map(({ mean }) => mean[index]);
      return known.every((value) => value === null)
        ? null
        : known.reduce<number>((total, value) => total + (value ?? 0), 0);
    });
  return (
    <Card title={text('The last hour')} actions={<a href="/live?view=charts">{text('All charts')}</a>}>
      <Chart
        label={text('Throughput')}
        times={times}
        format={formatBitRate}
        series={[
          { title: text('In'), values: sum(inward) },
          { title: text('Out'), values: sum(outward) },
        ]}
      />
    </Card>
  );
}

function timesOf({ from, stepSeconds, series }: HistoryAnswer): number[] {
  const start = Date.parse(from) / 1000;
  return series[0]?.mean.map((_, index) => start + index * stepSeconds) ?? [];
}
