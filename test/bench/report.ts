/** The rows as a table for the screen. */
import { OURS, type Row, type RowFigure, type Summary, type Verdict } from './measure.ts';

/** Three significant digits, no exponent: more would only show the noise of the benchmark. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

const span = ({ min, max }: Summary) => `${formatFigure(min)}-${formatFigure(max)}`;

/** "at least 0.55 reached", with the deciding word last. */
const formatVerdict = ({ bound, value, reached }: Verdict, unit: string) =>
  `${bound === 'at least' ? '>=' : '<='} ${value}${unit}: ${reached ? 'reached' : 'SHORT'}`;

const HEADINGS = ['', 'median', 'min-max', 'tombolo / it', 'min-max', 'target'] as const;

/** One row as lines of cells: the title with its unit, then one line per contender. */
function cells({ plan, figures, verdicts }: Row): string[][] {
  const lines = figures.map((figure) => [
    `  ${figure.contender}`,
    formatFigure(figure.median),
    span(figure),
    ...ratioCells(figure),
    verdicts
      .filter(({ against = OURS }) => against === figure.contender)
      .map((verdict) => formatVerdict(verdict, verdict.against === undefined ? ` ${plan.unit}` : ''))
      .join(', '),
  ]);
  return [[`${plan.title}, ${plan.unit}`], ...lines];
}

function ratioCells({ ratio }: RowFigure): [string, string] {
  // A peer without a process of its own (the kernel) has no CPU figure to divide by.
  if (ratio === undefined || !Number.isFinite(ratio.median)) return ['', ''];
  return [formatFigure(ratio.median), span(ratio)];
}

/** The table: columns aligned, figures to the right. */
export function renderTable(rows: readonly Row[]): string {
  const lines: string[][] = [[...HEADINGS], ...rows.flatMap(cells)];
  const tabular = lines.filter((line) => line.length > 1);
  const widths = HEADINGS.map((_, column) => Math.max(...tabular.map((line) => line[column].length)));
  const align = (line: readonly string[]) =>
    line.map((cell, column) =>
      column === 0 || column === HEADINGS.length - 1
        ? cell.padEnd(widths[column])
        : cell.padStart(widths[column]),
    );
  return lines.map((line) => (line.length === 1 ? line[0] : align(line).join('  ').trimEnd())).join('\n');
}
