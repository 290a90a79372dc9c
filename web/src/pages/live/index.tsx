import { say, text } from '../../core/locale.ts';
import { parameter, setParameters } from '../../core/router.ts';
import { PageHead } from '../../ui/basics.tsx';
import { Choice } from '../../ui/field.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { HistoryCharts, SPANS, SPAN_TITLES, type Span } from '../history.tsx';
import { Timeline } from './timeline.tsx';
import './live.css';

const TABS = {
  timeline: say('Timeline'),
  charts: say('Charts'),
};

export default function LivePage() {
  const tabs = (['timeline', 'charts'] as const).map((name) => ({ name, title: text(TABS[name]) }));
  return (
    <>
      <PageHead
        title={text('Live')}
        lead={text(
          'One timeline of connections, DNS queries, NAT64 mappings, services and the health of servers. Charts show the last 30 days.',
        )}
      />
      <Tabs tabs={tabs} label={text('Parts of this page')} />
      {currentTab(tabs) === 'timeline' ? <Timeline /> : <Charts />}
    </>
  );
}

function Charts() {
  const wanted = parameter('hours') as Span;
  const hours: Span = SPANS.includes(wanted) ? wanted : '1';
  return (
    <div class="stack">
      <Choice
        label={text('Time span')}
        value={hours}
        options={SPANS.map((span) => [span, text(SPAN_TITLES[span])])}
        onChange={(next) => setParameters({ hours: next })}
      />
      <section class="card">
        <HistoryCharts hours={Number(hours)} />
      </section>
    </div>
  );
}
