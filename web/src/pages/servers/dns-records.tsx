/** The records to publish, and whether each is published; also a step of the first run. */
import type { DnsRecordsAnswer } from '../../core/contract.ts';
import { say, text } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { Ago, Address, Button, Loading, Snippet, State } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';

const ARRIVAL = {
  ok: say('has arrived'),
  warn: say('among others'),
  fail: say('missing'),
  unknown: say('not known'),
};

export function DnsRecords({ name }: { name: string }) {
  const records = useResource<DnsRecordsAnswer>(`hosts/${encodeURIComponent(name)}/dns-records`);
  const { run, isBusy } = useAction(records.reload);
  const answer = records.data.value;
  if (answer === undefined) return <Loading of={records} />;
  const lines = answer.records.flatMap(({ zoneLine }) => zoneLine ?? []);
  return (
    <div class="stack">
      <Table
        caption={text('DNS records to publish')}
        rows={answer.records}
        keyOf={({ name: owner, type, value }) => `${owner} ${type} ${value}`}
        columns={[
          {
            title: text('Record'),
            cell: ({ name: owner, type }) => (
              <>
                <strong>{type}</strong> <code>{owner}</code>
              </>
            ),
          },
          {
            title: text('Value'),
            cell: ({ value, note }) =>
              value === null ? <span class="faint">{note}</span> : <Address value={value} />,
          },
          {
            title: text('Arrived?'),
            cell: ({ state, detail }) => (
              <>
                <State state={state} word={text(ARRIVAL[state])} />
                {state !== 'ok' && <div class="faint">{detail}</div>}
              </>
            ),
          },
        ]}
      />
      <div class="row">
        <Button icon="refresh" isBusy={isBusy.value} onClick={() => void run()}>
          {text('Check again')}
        </Button>
        <span class="faint">
          <Ago at={answer.checkedAt} />, {text('asked {resolver}', { resolver: answer.resolver })}
        </span>
      </div>
      {lines.length > 0 && (
        <details>
          <summary>{text('All as lines of a zone file')}</summary>
          <Snippet value={lines.join('\n')} what={text('All as lines of a zone file')} />
        </details>
      )}
    </div>
  );
}
