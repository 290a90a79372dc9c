/** A chart over time. uPlot is loaded with the first chart; colours are design tokens. */
import { useEffect, useRef } from 'preact/hooks';
import { region } from '../core/format.ts';
import { locale, text } from '../core/locale.ts';
import type UPlotChart from 'uplot';
import { isDark, token } from '../core/theme.ts';

export interface ChartSeries {
  readonly title: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  readonly heightPx?: number;
}

const WIDTHS = [1.6, 1.6];
const DASHES = [undefined, [5, 3]];

/** Series differ in colour and dash pattern. The text alternative contains the last and the highest value of each. */
export function Chart({ label, times, series, format, heightPx = 150 }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const isEmpty = series.every(({ values }) => values.every((value) => value === null));
  const titles = series.map(({ title }) => title).join('|');

  useEffect(() => {
    let isGone = false;
    let stop = () => {};
    void (async () => {
      const [{ default: UPlot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
      const element = holder.current;
      if (isGone || element === null) return;
      const colours = [token('sea'), token('sand')];
      const [faint, line] = [token('faint'), token('line')];
      const axis = {
        stroke: faint,
        grid: { stroke: line, width: 1 },
        ticks: { stroke: line, width: 1, size: 4 },
        font: '11px system-ui, sans-serif',
      };
      const plot = new UPlot(
        {
          width: element.clientWidth,
          height: heightPx,
          legend: { show: false },
          cursor: { y: false, points: { size: 6 } },
          padding: [8, 4, 0, 0],
          scales: {
            y: { range: (_plot: unknown, _low: number, high: number) => [0, high > 0 ? high * 1.1 : 1] },
          },
          axes: [
            {
              ...axis,
              size: 26,
              space: 70,
              values: (_plot: unknown, splits: number[]) => clockLabels(splits),
            },
            {
              ...axis,
              size: 74,
              space: 34,
              values: (_plot: unknown, splits: number[]) => splits.map(format),
            },
          ],
          series: [
            {},
            ...series.map(({ title }, index) => ({
              label: title,
              stroke: colours[index % 2],
              width: WIDTHS[index % 2],
              dash: DASHES[index % 2],
              points: { size: 4 },
            })),
          ],
        },
        data(times, series),
        element,
      );
      plots.set(element, plot);
      const observer = new ResizeObserver(() =>
        plot.setSize({ width: element.clientWidth, height: heightPx }),
      );
      observer.observe(element);
      stop = () => {
        observer.disconnect();
        plots.delete(element);
        plot.destroy();
      };
    })();
    return () => {
      isGone = true;
      stop();
    };
  }, [titles, isEmpty, isDark.value, locale.value, heightPx]);

  useEffect(() => {
    if (holder.current !== null) plots.get(holder.current)?.setData(data(times, series));
  }, [times, series]);

  return (
    <div class="chart" role="group" aria-label={label}>
      <div class="chart-head">
        <span class="chart-title">{label}</span>
        {series.map(({ title, values }, index) => (
          <span key={title} class={`chart-key key-${index % 2}`}>
            <svg viewBox="0 0 20 6" width="20" height="6" aria-hidden="true">
              <path d="M0 3h20" />
            </svg>
            {title} <b>{lastOf(values, format)}</b>
          </span>
        ))}
      </div>
      {isEmpty ? (
        <p class="chart-none">{text('Nothing is recorded yet; the first point comes within a minute.')}</p>
      ) : (
        <div ref={holder} class="chart-canvas" />
      )}
    </div>
  );
}

const plots = new WeakMap<Element, UPlotChart>();

const data = (times: readonly number[], series: readonly ChartSeries[]) =>
  [[...times], ...series.map(({ values }) => [...values])] as [number[], ...(number | null)[][]];

function lastOf(values: readonly (number | null)[], format: (value: number) => string): string {
  const last = values.findLast((value) => value !== null);
  return last == null ? '–' : format(last);
}

function clockLabels(splits: readonly number[]): string[] {
  const isLong = splits.length > 1 && splits[1] - splits[0] >= 43_200;
  const options = isLong
    ? ({ day: 'numeric', month: 'short' } as const)
    : ({ hour: '2-digit', minute: '2-digit' } as const);
  const formatter = new Intl.DateTimeFormat(region.value, options);
  return splits.map((seconds) => formatter.format(seconds * 1000));
}
