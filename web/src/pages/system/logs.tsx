import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import type { LogsAnswer } from '../../core/contract.ts';
import { formatTime } from '../../core/format.ts';
import { say, text } from '../../core/locale.ts';
import { usePages } from '../../core/resource.ts';
import { Card, Empty, Loading, More, Reload, State, type StateName } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { CheckField } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/problems.tsx';

const LEVELS = {
  debug: say('debug'),
  info: say('info'),
  warn: say('warning'),
  error: say('error'),
};

const LONGEST_CHARACTERS = 120;

type Line = LogsAnswer['lines'][number];
const STATES: Readonly<Record<Line['level'], StateName>> = {
  debug: 'unknown',
  info: 'ok',
  warn: 'warn',
  error: 'fail',
};

export function Logs() {
  const isShort = useSignal(false);
  const pages = usePages<Line>(async (cursor) => {
    const level = isShort.value ? 'warn' : undefined;
    const { lines, nextCursor } = await api.get<LogsAnswer>(`logs${query({ cursor, level })}`);
    return { rows: lines, nextCursor };
  });
  const { rows } = pages;
  useEffect(() => void pages.reload(), [isShort.value]);
  if (rows.value === undefined) return <Loading of={pages} />;
  return (
    <Card
      title={text('Log')}
      actions={
        <>
          <CheckField
            label={text('only warnings and errors')}
            isChecked={isShort.value}
            onChange={(next) => (isShort.value = next)}
          />
          <Reload of={pages} />
        </>
      }
    >
      <ErrorBox error={pages.error.value} />
      {rows.value.length === 0 ? (
        <Empty title={isShort.value ? text('No warnings and no errors') : text('The log is empty')} />
      ) : (
        <Table
          caption={text('Log')}
          rows={rows.value}
          keyOf={({ id }) => id}
          columns={[
            {
              title: text('When'),
              cell: ({ at }) => (
                <time class="nowrap" dateTime={at}>
                  {formatTime(new Date(at))}
                </time>
              ),
            },
            {
              title: text('Level'),
              cell: ({ level }) => <State state={STATES[level]} word={text(LEVELS[level])} />,
            },
            {
              title: text('What'),
              cell: ({ message, fields }) => (
                <>
                  {message} <Fields text={JSON.stringify(fields) ?? '{}'} />
                </>
              ),
            },
          ]}
        />
      )}
      <More of={pages} />
    </Card>
  );
}

/** The other fields of a line, as JSON; long ones can be unfolded. */
function Fields({ text: json }: { text: string }) {
  if (json === '{}') return null;
  if (json.length <= LONGEST_CHARACTERS) return <code class="faint">{json}</code>;
  return (
    <details>
      <summary>
        <code>{json.slice(0, LONGEST_CHARACTERS)}…</code>
      </summary>
      <code class="faint">{json}</code>
    </details>
  );
}
