/** The state of a server: measured, unless nobody is led to it. */
import { edit } from '../../core/config.ts';
import { text } from '../../core/locale.ts';
import { Button, Card, State, type StateName } from '../../ui/basics.tsx';
import { type HostDocument, hostsOf } from './model.ts';

/** `health`: as measured. `word` replaces its word. */
export function HostState({
  host: { enabled = true, maintenance = false },
  health = 'unknown',
  word,
}: {
  host: Pick<HostDocument, 'enabled' | 'maintenance'>;
  health?: StateName | undefined;
  word?: string | undefined;
}) {
  if (!enabled) return <State state="disabled" word={text('switched off')} />;
  if (maintenance) return <State state="warn" word={text('in maintenance')} />;
  return <State state={health} {...(word !== undefined && { word })} />;
}

/** Says that clients do not reach the server, and offers to change that. */
export function Turned({ host }: { host: HostDocument }) {
  const { name, enabled = true, maintenance = false } = host;
  const set = (field: 'enabled' | 'maintenance', value: boolean) =>
    edit((document) => {
      const found = hostsOf(document).find((each) => each.name === name);
      if (found !== undefined) found[field] = value;
    });
  if (!enabled)
    return (
      <Card title={text('Switched off')}>
        <p>{text('It stays in the configuration, but nothing leads to it. Its SSH port is kept for it.')}</p>
        <Button onClick={() => set('enabled', true)}>{text('Switch it on')}</Button>
      </Card>
    );
  if (!maintenance) return null;
  return (
    <Card title={text('In maintenance')}>
      <p>{text('Clients are turned away: 503 over HTTP, an alert over TLS, a reset at the SSH port.')}</p>
      <Button onClick={() => set('maintenance', false)}>{text('End the maintenance')}</Button>
    </Card>
  );
}
