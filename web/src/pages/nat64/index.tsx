import { say, text } from '../../core/locale.ts';
import { LinkButton, PageHead } from '../../ui/basics.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { Overview } from './overview.tsx';
import { Packet } from './packet.tsx';
import { Rows } from './rows.tsx';

const TABS = {
  overview: say('Overview'),
  sessions: say('Sessions'),
  bib: say('Mappings (BIB)'),
  packet: say('A packet'),
};

export default function Nat64Page() {
  const tabs = (['overview', 'sessions', 'bib', 'packet'] as const).map((name) => ({
    name,
    title: text(TABS[name]),
  }));
  const tab = currentTab(tabs);
  return (
    <>
      <PageHead
        title="NAT64"
        lead={text(
          'Translates what the IPv6-only servers send to IPv4, through the ports of the appliance’s own IPv4 address.',
        )}
        actions={
          <LinkButton href="/live?kind=nat64" icon="live">
            {text('Its mappings, live')}
          </LinkButton>
        }
      />
      <Tabs tabs={tabs} label={text('Parts of this page')} />
      {tab === 'overview' && <Overview />}
      {(tab === 'sessions' || tab === 'bib') && <Rows key={tab} list={tab} />}
      {tab === 'packet' && <Packet />}
    </>
  );
}
