import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import { CONFIRM_SECONDS, config, followPort, loadConfig } from '../../core/config.ts';
import type { ConfigRevisionDetail, ConfigRevisionsAnswer } from '../../core/contract.ts';
import { useAction, usePages } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Diff } from '../../frame/diff.tsx';
import { Ago, Button, Card, Loading, More, Snippet } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { Dialog, ask } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { text } from './text.ts';

export function History() {
  const words = text.value;
  const shown = useSignal<ConfigRevisionDetail | undefined>(undefined);
  const pages = usePages((cursor) => api.get<ConfigRevisionsAnswer>(`config/revisions${query({ cursor })}`));
  const { rows } = pages;
  const show = useAction(async (id: number) => {
    shown.value = await api.get<ConfigRevisionDetail>(`config/revisions/${id}`);
  });
  // An earlier revision may be the same document.
  const currentId = rows.value?.find(({ isCurrent }) => isCurrent)?.id;
  const revision = config.value?.revision;
  useEffect(() => void pages.reload(), [revision]);
  if (rows.value === undefined) return <Loading of={pages} />;
  return (
    <Card>
      <Table
        caption={words.history}
        rows={rows.value}
        keyOf={({ id }) => id}
        columns={[
          {
            title: words.revision,
            cell: ({ id }) => (
              <>
                {id} {id === currentId && <span class="tag">{words.current}</span>}
              </>
            ),
          },
          { title: words.when, cell: ({ at }) => <Ago at={at} /> },
          { title: words.by, cell: ({ by }) => by },
          {
            title: words.why,
            cell: ({ why, reason }) => (
              <>
                {words.whys[why]} {reason !== '' && <span class="faint">{reason}</span>}
              </>
            ),
          },
          { title: words.changesCount, isNumber: true, cell: ({ changes }) => changes },
          {
            title: '',
            cell: ({ id }) => (
              <Button
                isSmall
                isBusy={show.isBusy.value}
                label={`${words.show}: ${words.revisionTitle(id)}`}
                onClick={() => void show.run(id)}
              >
                {words.show}
              </Button>
            ),
          },
        ]}
      />
      <More of={pages} />
      <ErrorBox error={pages.error.value ?? show.error.value} />
      {shown.value !== undefined && <Detail detail={shown.value} onClose={() => (shown.value = undefined)} />}
    </Card>
  );
}

function Detail({ detail, onClose }: { detail: ConfigRevisionDetail; onClose: () => void }) {
  const words = text.value;
  const { id, isCurrent, diff, diffFromCurrent, document, at, by } = detail;
  const revert = () => {
    onClose();
    ask({
      title: words.revertTitle(id),
      consequences: [words.revertConsequence(diffFromCurrent.length)],
      undo: words.revertUndo,
      action: words.revert,
      async perform() {
        await api.post(`config/revisions/${id}/revert`, {
          revision: config.value?.revision,
          confirmSeconds: CONFIRM_SECONDS,
        });
        if (!followPort(diffFromCurrent)) await loadConfig();
        toast(words.reverted(id));
      },
    });
  };
  return (
    <Dialog
      title={words.revisionTitle(id)}
      isWide
      onClose={onClose}
      footer={
        !isCurrent &&
        diffFromCurrent.length > 0 && (
          <Button kind="primary" icon="undo" onClick={revert}>
            {words.revert}
          </Button>
        )
      }
    >
      <p class="faint">
        <Ago at={at} />, {by}
      </p>
      <h3>{words.didChange}</h3>
      {diff.length === 0 ? <p class="faint">{words.nothing}</p> : <Diff entries={diff} />}
      {!isCurrent && (
        <>
          <h3>{words.wouldChange}</h3>
          {diffFromCurrent.length === 0 ? (
            <p class="faint">{words.nothing}</p>
          ) : (
            <Diff entries={diffFromCurrent} />
          )}
        </>
      )}
      <details>
        <summary>{words.whole}</summary>
        <Snippet value={JSON.stringify(document, undefined, 2)} what={words.whole} />
      </details>
    </Dialog>
  );
}
