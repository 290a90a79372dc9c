import { PageHead } from '../../ui/basics.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { Access } from './access.tsx';
import { Audit } from './audit.tsx';
import { Backup } from './backup.tsx';
import { Logs } from './logs.tsx';
import { Machine } from './machine.tsx';
import { text } from './text.ts';

const PARTS = { machine: Machine, backup: Backup, access: Access, logs: Logs, audit: Audit };

export default function SystemPage() {
  const words = text.value;
  const tabs = (Object.keys(PARTS) as (keyof typeof PARTS)[]).map((name) => ({ name, title: words[name] }));
  const Part = PARTS[currentTab(tabs)];
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Tabs tabs={tabs} label={words.views} />
      <Part />
    </>
  );
}
