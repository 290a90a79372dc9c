import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from '../core/api.ts';
import { apply, edited } from '../core/config.ts';
import type { NeighboursAnswer } from '../core/contract.ts';
import { text } from '../core/locale.ts';
import { useAction } from '../core/resource.ts';
import { HostFields, useHostProblems } from '../pages/servers/form.tsx';
import { EMPTY_FORM, hostOf, problemsOf, withHost } from '../pages/servers/model.ts';
import { Button } from '../ui/basics.tsx';
import { Form } from '../ui/field.tsx';
import { ErrorBox } from '../ui/problems.tsx';
import { firstServer, step } from './state.ts';

export function ServerStep() {
  const form = useSignal({ ...EMPTY_FORM, name: 'web1' });
  const showsAll = useSignal(false);
  const problems = useHostProblems(form, undefined);
  const neighbours = useSignal<NeighboursAnswer['neighbours'] | undefined>(undefined);
  const search = useAction(async () => {
    neighbours.value = (await api.post<NeighboursAnswer>('neighbours/probe')).neighbours;
  });
  useEffect(() => void search.run(), []);
  const add = useAction(async () => {
    const host = hostOf(form.value);
    showsAll.value = true;
    problems.value = await problemsOf(host, undefined);
    if (problems.value.length === 0 && host.hostnames?.length === 0) {
      problems.value = [
        {
          path: '/hostnames',
          expected: '',
          message: text('Give at least one host name, such as example.com: it is what leads visitors here.'),
        },
      ];
    }
    if (problems.value.length > 0) {
      requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    // No countdown: there is nothing yet that the change could break.
    await apply(withHost(edited.value, host, undefined).document, { confirmSeconds: 0 });
    firstServer.value = host.name;
    step.value = 'outside';
  });
  const pick = (address: string, name: string | null) => {
    const label = name
      ?.split('.')[0]
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '');
    form.value = { ...form.value, address, name: label || form.value.name };
    document.querySelector<HTMLElement>('textarea')?.focus();
  };
  return (
    <>
      <p>
        {text(
          'Which machine should be reachable from IPv4? Pick one that answers in your network, or type its address.',
        )}
      </p>
      <section class="stack tight" aria-labelledby="neighbours-title">
        <div class="row spread">
          <h2 id="neighbours-title">{text('Seen in your network')}</h2>
          <Button isSmall icon="refresh" isBusy={search.isBusy.value} onClick={() => void search.run()}>
            {text('Search again')}
          </Button>
        </div>
        <Neighbours rows={neighbours.value} isSearching={search.isBusy.value} onPick={pick} />
        <ErrorBox error={search.error.value} />
      </section>
      <Form class="stack" isUnchecked onSend={add.run}>
        <HostFields form={form} problems={problems.value} showsAll={showsAll.value} isShort />
        <ErrorBox error={add.error.value} />
        <div class="actions spread">
          <Button onClick={() => (step.value = 'network')}>{text('Back')}</Button>
          <div class="actions">
            <Button onClick={() => (step.value = 'done')}>{text('Do this later')}</Button>
            <Button kind="primary" type="submit" isBusy={add.isBusy.value}>
              {text('Add this server')}
            </Button>
          </div>
        </div>
      </Form>
    </>
  );
}

interface NeighboursProps {
  readonly rows: NeighboursAnswer['neighbours'] | undefined;
  readonly isSearching: boolean;
  readonly onPick: (address: string, name: string | null) => void;
}

/** Machines with a usable IPv6 address; those with open ports first. */
function Neighbours({ rows, isSearching, onPick }: NeighboursProps) {
  const usable = (rows ?? []).filter(
    ({ address, server }) => address.includes(':') && !address.startsWith('fe80:') && server === null,
  );
  usable.sort((a, b) => (b.openPorts?.length ?? 0) - (a.openPorts?.length ?? 0));
  if (usable.length === 0)
    return (
      <p class="faint" role="status">
        {isSearching || rows === undefined
          ? text('Looking for machines in the network…')
          : text('No machine with an IPv6 address has answered yet. Type the address of the server instead.')}
      </p>
    );
  return (
    <ul class="neighbours">
      {usable.map(({ address, name, mac, isRouter, openPorts }) => (
        <li key={address}>
          <span class="grow">
            <strong>{name ?? ''}</strong> <code>{address}</code>
            <span class="faint">
              {' '}
              {isRouter && `${text('router')} · `}
              {openPorts !== null && openPorts.length > 0
                ? text('answers on {ports}', { ports: openPorts.join(', ') })
                : mac}
            </span>
          </span>
          <Button isSmall label={text('Use {address}', { address })} onClick={() => onPick(address, name)}>
            {text('Use {address}', { address: '' }).trim()}
          </Button>
        </li>
      ))}
    </ul>
  );
}
