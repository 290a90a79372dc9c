/** How the server learns the client's address, and what it needs for that. */
import type { ChecksAnswer, HostAnswer } from '../../core/contract.ts';
import { say, text, textOf } from '../../core/locale.ts';
import { useResource } from '../../core/resource.ts';
import { Card, Snippet, State } from '../../ui/basics.tsx';

const CLIENTS_LONG = {
  none: say(
    'The server sees the appliance as the client. Over plain HTTP, X-Forwarded-For tells the real one.',
  ),
  'proxy-v1': say(
    'The PROXY protocol tells the server the client’s address. The server must expect it, or it does not answer.',
  ),
  'proxy-v2': say(
    'The PROXY protocol tells the server the client’s address. The server must expect it, or it does not answer.',
  ),
  mapped: say(
    'Connections come from an IPv6 address that contains the client’s IPv4 address, SSH included, so logs and bans work without changes to the programs. The server needs a route for these addresses to the appliance. IPv6 clients that connect through the appliance are seen as the appliance.',
  ),
};

const REFRESH_MS = 10_000;

export function ClientAddress({ answer: { name, clientAddress, snippets } }: { answer: HostAnswer }) {
  return (
    <Card title={text('The client’s address')}>
      <p>{textOf(CLIENTS_LONG, clientAddress)}</p>
      <MappedRoute name={name} />
      {snippets.map(({ title, text: snippet, explanation }) => (
        <div class="stack tight" key={title}>
          <h3>{title}</h3>
          <Snippet value={snippet} what={title} />
          <p class="faint">{explanation}</p>
        </div>
      ))}
    </Card>
  );
}

/** Whether the server has the route for mapped addresses, as the check has found; nothing if the server does not use them. */
function MappedRoute({ name }: { name: string }) {
  const { data } = useResource<ChecksAnswer>('checks', { everyMs: REFRESH_MS });
  const item = data.value?.items.find(({ id }) => id === `mapped-route/${name}`);
  if (item === undefined) return null;
  return (
    <div class="stack tight">
      <p>
        <State state={item.state} word={undefined} /> {item.what}
      </p>
      {item.remedy !== null && <p>{item.remedy}</p>}
    </div>
  );
}
