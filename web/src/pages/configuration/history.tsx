import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import { CONFIRM_SECONDS, config, followPort, loadConfig } from '../../core/config.ts';
import type { ConfigRevisionDetail, ConfigRevisionsAnswer } from '../../core/contract.ts';
import { say, text } from '../../core/locale.ts';
import { useAction, usePages } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Diff } from '../../frame/diff.tsx';
import { Ago, Button, Card, Loading, More, Snippet } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { Dialog, ask } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { actorName } from '../../ui/actor.ts';

const WHYS = {
  first: say('first start'),
  apply: say('applied'),
  revert: say('brought back'),
  rollback: say('rolled back'),
  file: say('edited by hand'),
  restore: say('restored from a backup'),
};

export function History() {
  const shown = useSignal<ConfigRevisionDetail | undefined>(undefined);
  const pages = usePages((cursor) => api.get<ConfigRevisionsAnswer>(`config/revisions${query({ cursor })}`));
  const { rows } = pages;
  const show = useAction(async (id: number) => {
    shown.value = await api.get<ConfigRevisionDetail>(`config/revisions/${id}`);
  });
  // An earlier revision may have the same document.
  const currentId = rows.value?.find(({ isCurrent }) => isCurrent)?.id;
  const revision = config.value?.revision;
  useEffect(() => void pages.reload(), [revision]);
  if (rows.value === undefined) return <Loading of={pages} />;
  return (
    <Card>
      <Table
        caption={text('History')}
        rows={rows.value}
        keyOf={({ id }) => id}
        columns={[
          {
            title: text('Revision'),
            cell: ({ id }) => (
              <>
                {id} {id === currentId && <span class="tag">{text('active')}</span>}
              </>
            ),
          },
          { title: text('When'), cell: ({ at }) => <Ago at={at} /> },
          { title: text('By'), cell: ({ by }) => actorName(by) },
          {
            title: text('Why'),
            cell: ({ why, reason }) => (
              <>
                {text(WHYS[why])} {reason !== '' && <span class="faint">{reason}</span>}
              </>
            ),
          },
          { title: text('Changes'), isNumber: true, cell: ({ changes }) => changes },
          {
            title: '',
            cell: ({ id }) => (
              <Button
                isSmall
                isBusy={show.isBusy.value}
                label={`${text('Show')}: ${text('Revision {id}', { id })}`}
                onClick={() => void show.run(id)}
              >
                {text('Show')}
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
  const { id, isCurrent, diff, diffFromCurrent, document, at, by } = detail;
  const revert = () => {
    onClose();
    ask({
      title: text('Bring revision {id} back?', { id }),
      consequences: [
        text(
          diffFromCurrent.length === 1
            ? 'The configuration changes in 1 place; settings made there since then are lost.'
            : 'The configuration changes in {count} places; settings made there since then are lost.',
          { count: diffFromCurrent.length },
        ),
      ],
      undo: text(
        'A countdown starts: without your confirmation, the change is rolled back. The history keeps the present configuration, too.',
      ),
      action: text('Bring it back'),
      async perform() {
        await api.post(`config/revisions/${id}/revert`, {
          revision: config.value?.revision,
          confirmSeconds: CONFIRM_SECONDS,
        });
        if (!followPort(diffFromCurrent)) await loadConfig();
        toast(text('Revision {id} is active again. Confirm it before the countdown ends.', { id }));
      },
    });
  };
  return (
    <Dialog
      title={text('Revision {id}', { id })}
      isWide
      onClose={onClose}
      footer={
        !isCurrent &&
        diffFromCurrent.length > 0 && (
          <Button kind="primary" icon="undo" onClick={revert}>
            {text('Bring it back')}
          </Button>
        )
      }
    >
      <p class="faint">
        <Ago at={at} />, {by}
      </p>
      <h3>{text('What it changed')}</h3>
      {diff.length === 0 ? <p class="faint">{text('Nothing.')}</p> : <Diff entries={diff} />}
      {!isCurrent && (
        <>
          <h3>{text('What bringing it back would change now')}</h3>
          {diffFromCurrent.length === 0 ? (
            <p class="faint">{text('Nothing.')}</p>
          ) : (
            <Diff entries={diffFromCurrent} />
          )}
        </>
      )}
      <details>
        <summary>{text('The whole document')}</summary>
        <Snippet value={JSON.stringify(document, undefined, 2)} what={text('The whole document')} />
      </details>
    </Dialog>
  );
}
