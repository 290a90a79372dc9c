import { parameter, setParameters } from '../../core/router.ts';
import { PageHead } from '../../ui/basics.tsx';
import { Choice } from '../../ui/field.tsx';
import { currentTab, Tabs } from '../../ui/tabs.tsx';
import { HistoryCharts, SPANS, type Span, spanTitles } from '../history.tsx';
import { text } from './text.ts';
import { Timeline } from './timeline.tsx';
import './live.css';

export default function LivePage() {
  const words = text.value;
  const tabs = (['timeline', 'charts'] as const).map((name) => ({ name, title: words[name] }));
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Tabs tabs={tabs} label={words.views} />
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
        label={spanTitles.value.label}
        value={hours}
        options={SPANS.map((span) => [span, spanTitles.value[span]])}
        onChange={(next) => setParameters({ hours: next })}
      />
      <section class="card">
        <HistoryCharts hours={Number(hours)} />
      </section>
    </div>
  );
}
