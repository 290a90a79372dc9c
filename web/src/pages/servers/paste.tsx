import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import { edit } from '../../core/config.ts';
import type { ParseHostsAnswer } from '../../core/contract.ts';
import { useAction } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button } from '../../ui/basics.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextArea } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { text as common } from '../../ui/text.ts';
import { type HostDocument, withHost } from './model.ts';
import { text } from './text.ts';

const EXAMPLE = 'web1 2001:db8:1::10 example.com www.example.com\nweb2 2001:db8:1::20 example.org';

export function PasteDialog({ onClose }: { onClose: () => void }) {
  const words = text.value;
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
    toast(words.pasteTaken(hosts.length));
    onClose();
  };
  return (
    <Dialog
      title={words.pasteTitle}
      isWide
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{common.value.cancel}</Button>
          <Button isBusy={isBusy.value} isDisabled={pasted.value.trim() === ''} onClick={() => void run()}>
            {words.pasteRead}
          </Button>
          <Button kind="primary" isDisabled={hosts.length === 0} onClick={take}>
            {words.pasteTake(hosts.length)}
          </Button>
        </>
      }
    >
      <TextArea
        label={words.pasteLabel}
        hint={words.pasteLead}
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
              const { name, address, hostnames = [] } = host as HostDocument;
              return (
                <li key={line}>
                  <strong>{name}</strong> <code>{address}</code>{' '}
                  <span class="clipped faint">{hostnames.join(', ')}</span>{' '}
                  <span class="tag">{isKnown ? words.pasteKnown : words.pasteNew}</span>
                </li>
              );
            })}
          </ul>
          {answer.value.problems.length > 0 && (
            <ul class="problem-list problem">
              {answer.value.problems.map(({ line, message }) => (
                <li key={line + message}>
                  {words.pasteLine(line)}: {message}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Dialog>
  );
}
