import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import type { LogsAnswer } from '../../core/contract.ts';
import { formatTime } from '../../core/format.ts';
import { useAction } from '../../core/resource.ts';
import { Button, Card, Empty, State, type StateName } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { CheckField } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { text } from './text.ts';

type Line = LogsAnswer['lines'][number];
const STATES: Readonly<Record<Line['level'], StateName>> = {
  debug: 'unknown',
  info: 'ok',
  warn: 'warn',
  error: 'fail',
};

export function Logs() {
  const words = text.value;
  const lines = useSignal<readonly Line[] | undefined>(undefined);
  const nextCursor = useSignal<number | null>(null);
  const isShort = useSignal(false);
  const { run, isBusy, error } = useAction(async (cursor: number | undefined) => {
    const answer = await api.get<LogsAnswer>(`logs${query({ cursor })}`);
    lines.value = cursor === undefined ? answer.lines : [...(lines.value ?? []), ...answer.lines];
    nextCursor.value = answer.nextCursor;
  });
  useEffect(() => void run(undefined), []);
  const shown =
    lines.value?.filter(({ level }) => !isShort.value || level === 'warn' || level === 'error') ?? [];
  return (
    <Card
      title={words.logs}
      actions={
        <>
          <CheckField
            label={words.problemsOnly}
            isChecked={isShort.value}
            onChange={(next) => (isShort.value = next)}
          />
          <Button
            isSmall
            icon="refresh"
            label={words.logs}
            isBusy={isBusy.value}
            onClick={() => void run(undefined)}
          />
        </>
      }
    >
      <ErrorBox error={error.value} />
      {lines.value !== undefined && shown.length === 0 && <Empty title={words.logsNone} />}
      {shown.length > 0 && (
        <Table
          caption={words.logs}
          rows={shown}
          keyOf={({ id }) => id}
          columns={[
            { title: words.when, cell: ({ at }) => <time dateTime={at}>{formatTime(new Date(at))}</time> },
            {
              title: words.outcome,
              cell: ({ level }) => <State state={STATES[level]} word={words.levels[level]} />,
            },
            {
              title: words.what,
              cell: ({ message, fields }) => (
                <>
                  {message} <code class="faint">{compact(fields)}</code>
                </>
              ),
            },
          ]}
        />
      )}
      {nextCursor.value !== null && (
        <Button isBusy={isBusy.value} onClick={() => void run(nextCursor.value ?? undefined)}>
          {words.older}
        </Button>
      )}
    </Card>
  );
}

function compact(fields: unknown): string {
  const text = JSON.stringify(fields);
  return text === undefined || text === '{}' ? '' : text.slice(0, 300);
}
