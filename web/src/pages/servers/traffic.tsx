/** What passes to and from one server: now, since the start, and over time. */
import { useSignal } from '@preact/signals';
import { formatBitRate, formatBytes, formatNumber } from '../../core/format.ts';
import { counters, hostKey, rates } from '../../core/live.ts';
import { Card } from '../../ui/basics.tsx';
import { Choice } from '../../ui/field.tsx';
import { Facts } from '../../ui/table.tsx';
import { HistoryCharts, SPANS, type Span, spanTitles } from '../history.tsx';
import { text } from './text.ts';

/** "up / down" of the last seconds; a dash for a server that is not in force yet. */
export function RateNow({ name }: { name: string }) {
  if (counters.value[hostKey(name)] === undefined) return <>–</>;
  const rate = (counter: string) => formatBitRate(rates.value(hostKey(name), counter));
  return (
    <>
      {rate('bytes-up')} / {rate('bytes-down')}
    </>
  );
}

export function Traffic({ name }: { name: string }) {
  const words = text.value;
  const hours = useSignal<Span>('1');
  const traffic = counters.value[hostKey(name)];
  return (
    <Card title={words.trafficTitle}>
      <p class="faint">{words.trafficLead}</p>
      <Facts
        rows={[
          [words.trafficNow, <RateNow name={name} />],
          traffic !== undefined && [
            words.trafficSince,
            words.trafficTotals(
              formatBytes(traffic['bytes-up']),
              formatBytes(traffic['bytes-down']),
              formatNumber(traffic['accepted']),
              formatNumber(traffic['connections']),
            ),
          ],
        ]}
      />
      <Choice
        label={spanTitles.value.label}
        value={hours.value}
        options={SPANS.map((span) => [span, spanTitles.value[span]])}
        onChange={(next) => (hours.value = next)}
      />
      <HistoryCharts host={name} hours={Number(hours.value)} />
    </Card>
  );
}
