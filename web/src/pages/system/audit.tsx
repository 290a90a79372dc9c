import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import type { AuditAnswer, AuditEntry } from '../../core/contract.ts';
import { say, text } from '../../core/locale.ts';
import { usePages } from '../../core/resource.ts';
import { Ago, Card, Empty, Loading, More, Reload, State, type StateName } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { actorName } from '../../ui/actor.ts';

const OUTCOMES = {
  done: say('done'),
  refused: say('refused'),
  failed: say('error'),
};

const STATES: Readonly<Record<AuditEntry['outcome'], StateName>> = {
  done: 'ok',
  refused: 'warn',
  failed: 'fail',
};

export function Audit() {
  const pages = usePages<AuditEntry>(async (cursor) => {
    const { entries, nextCursor } = await api.get<AuditAnswer>(`audit${query({ cursor, limit: 50 })}`);
    return { rows: entries, nextCursor };
  });
  const { rows } = pages;
  useEffect(() => void pages.reload(), []);
  if (rows.value === undefined) return <Loading of={pages} />;
  return (
    <Card title={text('Audit')} actions={<Reload of={pages} />}>
      <p class="faint">{text('Who changed what, and whose requests were refused.')}</p>
      <ErrorBox error={pages.error.value} />
      {rows.value.length === 0 ? (
        <Empty title={text('Nothing was done yet')} />
      ) : (
        <Table
          caption={text('Audit')}
          rows={rows.value}
          keyOf={({ id }) => id}
          columns={[
            { title: text('When'), cell: ({ at }) => <Ago at={at} /> },
            {
              title: text('Who'),
              cell: ({ who, source }) => (
                <>
                  {actorName(who)} <code class="faint">{source}</code>
                </>
              ),
            },
            {
              title: text('What'),
              cell: ({ summary, action, target }) => (
                <>
                  {summary || action} {target !== null && <code>{target}</code>}
                </>
              ),
            },
            {
              title: text('Outcome'),
              cell: ({ outcome, detail }) => (
                <>
                  <State state={STATES[outcome]} word={text(OUTCOMES[outcome])} />
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
