import { config, configLoad, draft, draftCheck, pending } from '../../core/config.ts';
import { say, text } from '../../core/locale.ts';
import { Diff } from '../../frame/diff.tsx';
import { Button, Card, Empty, Loading, PageHead } from '../../ui/basics.tsx';
import { ProblemList } from '../../ui/problems.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { isReviewing } from '../../frame/pending.tsx';
import { Editor } from './editor.tsx';
import { History } from './history.tsx';

const TABS = {
  changes: say('Changes'),
  history: say('History'),
  json: say('JSON'),
};

export default function ConfigurationPage() {
  const tabs = (['changes', 'history', 'json'] as const).map((name) => ({
    name,
    title: text(TABS[name]),
  }));
  const tab = currentTab(tabs);
  return (
    <>
      <PageHead
        title={text('Configuration')}
        lead={text(
          'One document configures everything that this appliance does. Changes are collected in a draft. Applying the draft starts a countdown; a change that is not confirmed is rolled back.',
        )}
      />
      <Tabs tabs={tabs} label={text('Parts of this page')} />
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
  const waiting = pending.value?.pending;
  const check = draftCheck.value;
  if (waiting == null && draft.value === undefined) {
    return (
      <Empty title={text('There are no changes')}>
        <p>
          {text(
            'Changes that you make on any page are collected here first. Nothing takes effect before you apply it.',
          )}
        </p>
      </Empty>
    );
  }
  return (
    <>
      {waiting != null && (
        <Card title={text('Applied, waiting to be confirmed')}>
          <Diff entries={waiting.diff} />
        </Card>
      )}
      {draft.value !== undefined && (
        <Card
          title={text('Not applied yet')}
          actions={
            <Button kind="primary" onClick={() => (isReviewing.value = true)}>
              {text('Review and apply')}
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
