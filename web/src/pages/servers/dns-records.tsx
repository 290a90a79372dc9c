/** What to publish, and whether each record has arrived: also a step of the first run. */
import type { DnsRecordsAnswer } from '../../core/contract.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { Ago, Address, Button, Loading, Snippet, State } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { text } from './text.ts';

export function DnsRecords({ name }: { name: string }) {
  const words = text.value;
  const records = useResource<DnsRecordsAnswer>(`hosts/${encodeURIComponent(name)}/dns-records`);
  const { run, isBusy } = useAction(records.reload);
  const answer = records.data.value;
  if (answer === undefined) return <Loading of={records} />;
  const lines = answer.records.flatMap(({ zoneLine }) => zoneLine ?? []);
  return (
    <div class="stack">
      <Table
        caption={words.dns}
        rows={answer.records}
        keyOf={({ name: owner, type, value }) => `${owner} ${type} ${value}`}
        columns={[
          {
            title: words.record,
            cell: ({ name: owner, type }) => (
              <>
                <strong>{type}</strong> <code>{owner}</code>
              </>
            ),
          },
          {
            title: words.wanted,
            cell: ({ value, note }) =>
              value === null ? <span class="faint">{note}</span> : <Address value={value} />,
          },
          {
            title: words.arrived,
            cell: ({ state, detail }) => (
              <>
                <State state={state} word={words.arrival[state]} />
                {state !== 'ok' && <div class="faint">{detail}</div>}
              </>
            ),
          },
        ]}
      />
      <div class="row">
        <Button icon="refresh" isBusy={isBusy.value} onClick={() => void run()}>
          {words.dnsCheck}
        </Button>
        <span class="faint">
          <Ago at={answer.checkedAt} />, {words.dnsAsked(answer.resolver)}
        </span>
      </div>
      {lines.length > 0 && (
        <details>
          <summary>{words.zone}</summary>
          <Snippet value={lines.join('\n')} what={words.zone} />
        </details>
      )}
    </div>
  );
}
