import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import { edit } from '../../core/config.ts';
import type { ParseHostsAnswer } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useAction } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button } from '../../ui/basics.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextArea } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { type HostDocument, addressesOf, withHost } from './model.ts';

const EXAMPLE = 'web1 2001:db8:1::10 example.com www.example.com\nweb2 2001:db8:1::20 example.org';

export function PasteDialog({ onClose }: { onClose: () => void }) {
  const pasted = useSignal('');
  const answer = useSignal<ParseHostsAnswer | undefined>(undefined);
  const { run, isBusy, error } = useAction(async () => {
    answer.value = await api.post<ParseHostsAnswer>('config/parse-hosts', { text: pasted.value });
  });
  const hosts = answer.value?.hosts ?? [];
  const take = () => {
    edit((document) => {
      for (const { host } of hosts) {
        const entry = host as HostDocument;
        Object.assign(document, withHost(document, entry, entry.name).document);
      }
    });
    toast(
      text(hosts.length === 1 ? '1 server is in the draft.' : '{count} servers are in the draft.', {
        count: hosts.length,
      }),
    );
    onClose();
  };
  return (
    <Dialog
      title={text('Paste several servers')}
      isWide
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{text('Cancel')}</Button>
          <Button isBusy={isBusy.value} isDisabled={pasted.value.trim() === ''} onClick={() => void run()}>
            {text('Read')}
          </Button>
          <Button kind="primary" isDisabled={hosts.length === 0} onClick={take}>
            {text(hosts.length === 1 ? 'Import 1 server' : 'Import {count} servers', {
              count: hosts.length,
            })}
          </Button>
        </>
      }
    >
      <TextArea
        label={text('Servers')}
        hint={text('Lines of “name address host-name host-name…”, a CSV with a header, or a JSON list.')}
        rows={7}
        placeholder={EXAMPLE}
        value={pasted.value}
        onInput={(value) => {
          pasted.value = value;
          answer.value = undefined;
        }}
      />
      <ErrorBox error={error.value} />
      {answer.value !== undefined && (
        <>
          <ul class="plain-list">
            {hosts.map(({ line, host, isKnown }) => {
              const { name, hostnames = [], ...rest } = host as HostDocument;
              return (
                <li key={line}>
                  <strong>{name}</strong> <code>{addressesOf(rest).join(', ')}</code>{' '}
                  <span class="clipped faint">{hostnames.join(', ')}</span>{' '}
                  <span class="tag">{isKnown ? text('replaces the one of this name') : text('new')}</span>
                </li>
              );
            })}
          </ul>
          {answer.value.problems.length > 0 && (
            <ul class="problem-list problem">
              {answer.value.problems.map(({ line, message }) => (
                <li key={line + message}>
                  {text('Line {line}', { line })}: {message}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Dialog>
  );
}
