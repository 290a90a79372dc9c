/** Tables, lists of facts, gauges. */
import type { ComponentChildren } from 'preact';
import { text } from '../core/locale.ts';

/** Names and values. */
export function Facts({
  rows,
}: {
  rows: readonly (readonly [title: string, value: ComponentChildren] | undefined | false)[];
}) {
  return (
    <dl class="facts">
      {rows.map(
        (row) =>
          row && (
            <div key={row[0]}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

export interface Column<Row> {
  /** "" for a column of buttons. */
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
}

/** A table that becomes a list of cards on a phone. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
}) {
  return (
    <table class="table">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ title, isNumber }) => (
            <th key={title} scope="col" class={isNumber ? 'number' : undefined}>
              {title === '' ? <span class="visually-hidden">{text('Action')}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, cell, isNumber }) => (
              <td key={title} data-label={title} class={isNumber ? 'number' : undefined}>
                <div>{cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A bar and its figure. */
export function Gauge({
  value,
  max,
  label,
  children,
}: {
  value: number;
  max: number;
  label: string;
  children: ComponentChildren;
}) {
  return (
    <span class="gauge">
      <Meter value={value} max={max} label={label} />
      <span>{children}</span>
    </span>
  );
}

/** How much of something is used: a bar beside the figure. */
export function Meter({ value, max, label }: { value: number; max: number; label: string }) {
  return (
    <progress
      class={`meter${value > max * 0.9 ? ' is-high' : ''}`}
      value={Math.min(value, max)}
      max={max || 1}
      aria-label={label}
    />
  );
}
