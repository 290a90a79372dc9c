import { say, text } from '../../core/locale.ts';
import { PageHead } from '../../ui/basics.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { Access } from './access.tsx';
import { Audit } from './audit.tsx';
import { Backup } from './backup.tsx';
import { Logs } from './logs.tsx';
import { Machine } from './machine.tsx';

const PARTS = { machine: Machine, backup: Backup, access: Access, logs: Logs, audit: Audit };

const TITLES = {
  machine: say('Machine'),
  backup: say('Backup'),
  access: say('Access'),
  logs: say('Log'),
  audit: say('Audit'),
};

export default function SystemPage() {
  const tabs = (Object.keys(PARTS) as (keyof typeof PARTS)[]).map((name) => ({
    name,
    title: text(TITLES[name]),
  }));
  const Part = PARTS[currentTab(tabs)];
  return (
    <>
      <PageHead
        title={text('System')}
        lead={text('The machine, its backup, who may sign in, and what was done.')}
      />
      <Tabs tabs={tabs} label={text('Parts of this page')} />
      <Part />
    </>
  );
}
