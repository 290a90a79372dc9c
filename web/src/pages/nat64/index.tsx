import { LinkButton, PageHead } from '../../ui/basics.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { Overview } from './overview.tsx';
import { Packet } from './packet.tsx';
import { Rows } from './rows.tsx';
import { text } from './text.ts';

export default function Nat64Page() {
  const words = text.value;
  const tabs = (['overview', 'sessions', 'bib', 'packet'] as const).map((name) => ({
    name,
    title: words[name],
  }));
  const tab = currentTab(tabs);
  return (
    <>
      <PageHead
        title={words.title}
        lead={words.lead}
        actions={
          <LinkButton href="/live?kind=nat64" icon="live">
            {words.timeline}
          </LinkButton>
        }
      />
      <Tabs tabs={tabs} label={words.views} />
      {tab === 'overview' && <Overview />}
      {(tab === 'sessions' || tab === 'bib') && <Rows key={tab} list={tab} />}
      {tab === 'packet' && <Packet />}
    </>
  );
}
