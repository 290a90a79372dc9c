/** The traffic of one server: now, since the start, and over time. */
import { useSignal } from '@preact/signals';
import { formatBitRate, formatBytes, formatNumber } from '../../core/format.ts';
import { counters, hostKey, rates } from '../../core/live.ts';
import { text } from '../../core/locale.ts';
import { Card } from '../../ui/basics.tsx';
import { Choice } from '../../ui/field.tsx';
import { Facts } from '../../ui/table.tsx';
import { HistoryCharts, SPANS, SPAN_TITLES, type Span } from '../history.tsx';

/** "up / down" of the last seconds; a dash for a server that is not active yet. */
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
  const hours = useSignal<Span>('1');
  const traffic = counters.value[hostKey(name)];
  return (
    <Card title={text('Traffic')}>
      <p class="faint">
        {text(
          'Bytes through the proxy and the forwarded SSH port, to the server and back. Not included: IPv6 clients, which reach the server directly, and what the server itself fetches through NAT64.',
        )}
      </p>
      <Facts
        rows={[
          [text('Now, up / down'), <RateNow name={name} />],
          traffic !== undefined && [
            text('Since the start'),
            text('{up} up, {down} down; connections: {accepted}, open now: {open}', {
              up: formatBytes(traffic['bytes-up']),
              down: formatBytes(traffic['bytes-down']),
              accepted: formatNumber(traffic['accepted']),
              open: formatNumber(traffic['connections']),
            }),
          ],
        ]}
      />
      <Choice
        label={text('Time span')}
        value={hours.value}
        options={SPANS.map((span) => [span, text(SPAN_TITLES[span])])}
        onChange={(next) => (hours.value = next)}
      />
      <HistoryCharts host={name} hours={Number(hours.value)} />
    </Card>
  );
}
