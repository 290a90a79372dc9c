import { config, configLoad, draft, draftCheck, pending } from '../../core/config.ts';
import { Diff } from '../../frame/diff.tsx';
import { Button, Card, Empty, Loading, PageHead } from '../../ui/basics.tsx';
import { ProblemList } from '../../ui/problems.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { isReviewing } from '../../frame/pending.tsx';
import { text as frame } from '../../frame/text.ts';
import { Editor } from './editor.tsx';
import { History } from './history.tsx';
import { text } from './text.ts';

export default function ConfigurationPage() {
  const words = text.value;
  const tabs = (['changes', 'history', 'json'] as const).map((name) => ({ name, title: words[name] }));
  const tab = currentTab(tabs);
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Tabs tabs={tabs} label={words.views} />
      {config.value === undefined ? (
        <Loading of={configLoad} />
      ) : tab === 'changes' ? (
        <Changes />
      ) : tab === 'history' ? (
        <History />
      ) : (
        <Editor />
      )}
    </>
  );
}

function Changes() {
  const words = text.value;
  const waiting = pending.value?.pending;
  const check = draftCheck.value;
  if (waiting == null && draft.value === undefined) {
    return (
      <Empty title={words.noChanges}>
        <p>{words.noChangesHelp}</p>
      </Empty>
    );
  }
  return (
    <>
      {waiting != null && (
        <Card title={words.pendingTitle}>
          <Diff entries={waiting.diff} />
        </Card>
      )}
      {draft.value !== undefined && (
        <Card
          title={words.draftTitle}
          actions={
            <Button kind="primary" onClick={() => (isReviewing.value = true)}>
              {frame.value.pending.review}
            </Button>
          }
        >
          {check?.valid === false && (
            <div class="error-box">
              <ProblemList problems={check.problems} />
            </div>
          )}
          {check?.valid === true && <Diff entries={check.diff} />}
        </Card>
      )}
    </>
  );
}
