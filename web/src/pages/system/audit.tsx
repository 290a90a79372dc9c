import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import type { AuditAnswer, AuditEntry } from '../../core/contract.ts';
import { useAction } from '../../core/resource.ts';
import { Ago, Button, Card, Empty, State, type StateName } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { actorName } from '../../ui/text.ts';
import { text } from './text.ts';

const STATES: Readonly<Record<AuditEntry['outcome'], StateName>> = {
  done: 'ok',
  refused: 'warn',
  failed: 'fail',
};

export function Audit() {
  const words = text.value;
  const entries = useSignal<readonly AuditEntry[] | undefined>(undefined);
  const nextCursor = useSignal<number | null>(null);
  const { run, isBusy, error } = useAction(async (cursor: number | undefined) => {
    const answer = await api.get<AuditAnswer>(`audit${query({ cursor, limit: 50 })}`);
    entries.value = cursor === undefined ? answer.entries : [...(entries.value ?? []), ...answer.entries];
    nextCursor.value = answer.nextCursor;
  });
  useEffect(() => void run(undefined), []);
  return (
    <Card title={words.audit}>
      <p class="faint">{words.auditLead}</p>
      <ErrorBox error={error.value} />
      {entries.value?.length === 0 && <Empty title={words.auditNone} />}
      {entries.value !== undefined && entries.value.length > 0 && (
        <Table
          caption={words.audit}
          rows={entries.value}
          keyOf={({ id }) => id}
          columns={[
            { title: words.when, cell: ({ at }) => <Ago at={at} /> },
            {
              title: words.who,
              cell: ({ who, source }) => (
                <>
                  {actorName(who)} <code class="faint">{source}</code>
                </>
              ),
            },
            {
              title: words.what,
              cell: ({ summary, action, target }) => (
                <>
                  {summary || action} {target !== null && <code>{target}</code>}
                </>
              ),
            },
            {
              title: words.outcome,
              cell: ({ outcome, detail }) => (
                <>
                  <State state={STATES[outcome]} word={words.outcomes[outcome]} />
                  {detail !== null && <div class="faint">{detail}</div>}
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
