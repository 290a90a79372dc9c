import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import type { AuditAnswer, AuditEntry } from '../../core/contract.ts';
import { usePages } from '../../core/resource.ts';
import { Ago, Card, Empty, Loading, More, Reload, State, type StateName } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { text } from './text.ts';

const STATES: Readonly<Record<AuditEntry['outcome'], StateName>> = {
  done: 'ok',
  refused: 'warn',
  failed: 'fail',
};

export function Audit() {
  const words = text.value;
  const pages = usePages<AuditEntry>(async (cursor) => {
    const { entries, nextCursor } = await api.get<AuditAnswer>(`audit${query({ cursor, limit: 50 })}`);
    return { rows: entries, nextCursor };
  });
  const { rows } = pages;
  useEffect(() => void pages.reload(), []);
  if (rows.value === undefined) return <Loading of={pages} />;
  return (
    <Card title={words.audit} actions={<Reload of={pages} />}>
      <p class="faint">{words.auditLead}</p>
      <ErrorBox error={pages.error.value} />
      {rows.value.length === 0 ? (
        <Empty title={words.auditNone} />
      ) : (
        <Table
          caption={words.audit}
          rows={rows.value}
          keyOf={({ id }) => id}
          columns={[
            { title: words.when, cell: ({ at }) => <Ago at={at} /> },
            {
              title: words.who,
              cell: ({ who, source }) => (
                <>
                  {who} <code class="faint">{source}</code>
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
      <More of={pages} />
    </Card>
  );
}
