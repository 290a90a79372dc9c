/** `proxy.workers`. */
import { config, edit, edited } from '../../core/config.ts';
import { text } from '../../core/locale.ts';
import { Card } from '../../ui/basics.tsx';
import { SelectField } from '../../ui/field.tsx';

type ProxyDocument = Record<string, unknown> & { readonly workers?: number | string };

const COUNTS = ['1', '2', '3', '4', '6', '8', '12', '16'];

export function Workers() {
  const effective = config.value?.effective.proxy.workers;
  if (effective === undefined) return null;
  const proxy = (edited.value['proxy'] ?? {}) as ProxyDocument;
  const value = String(proxy.workers ?? 1);
  const choose = (count: string) =>
    edit((document) =>
      Object.assign(document, {
        proxy: { ...(document['proxy'] ?? {}), workers: count === 'auto' ? count : Number(count) },
      }),
    );
  return (
    <Card title={text('Worker threads')}>
      <SelectField
        label={text('Number of worker threads')}
        hint={text(
          'Several threads use several processor cores. One is enough for most networks; each further one takes 12 MB of memory. Open connections stay when the number changes.',
        )}
        value={value}
        options={[
          ['auto', text('by cores and memory')] as const,
          ...[...new Set([...COUNTS, value])]
            .filter((count) => count !== 'auto')
            .sort((a, b) => Number(a) - Number(b))
            .map((count) => [count, count] as const),
        ]}
        onChange={choose}
      />
    </Card>
  );
}
