import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import type { SystemAnswer, SystemSshAnswer } from '../../core/contract.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card, Loading, Snippet, State } from '../../ui/basics.tsx';
import { ask } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { Table } from '../../ui/table.tsx';
import { text } from './text.ts';

const REFRESH_MS = 5000;

/** SSH to the appliance itself; not there on machines that are none. */
export function Ssh() {
  const system = useResource<SystemAnswer>('system');
  return system.data.value?.capabilities.ssh ? <SshCard /> : null;
}

function SshCard() {
  const words = text.value;
  const answer = useResource<SystemSshAnswer>('system/ssh', { everyMs: REFRESH_MS });
  const ssh = answer.data.value;
  if (ssh === undefined) return <Loading of={answer} />;
  const isOn = ssh.keys.length > 0;
  const remove = (fingerprint: string, name: string) =>
    ask({
      title: words.sshRemoveTitle(name),
      consequences: ssh.keys.length === 1 ? [words.sshRemoveLast] : [words.sshRemoveConsequence],
      action: words.sshRemove,
      async perform() {
        await api.delete(`system/ssh/keys/${encodeURIComponent(fingerprint)}`);
        toast(words.sshRemoved);
        await answer.reload();
      },
    });
  return (
    <Card title={words.ssh}>
      <p class="faint">{words.sshLead}</p>
      <p>
        {isOn === ssh.isRunning ? (
          <State state={isOn ? 'ok' : 'unknown'} word={isOn ? words.sshOn : words.sshOff} />
        ) : (
          <State state="warn" word={isOn ? words.sshStarts : words.sshStops} />
        )}
      </p>
      {isOn && (
        <>
          <Snippet value={`ssh root@${location.hostname.replace(/^\[|\]$/g, '')}`} what={words.ssh} />
          {ssh.hostKey !== null && (
            <p>
              {words.sshHostKey}: <code>{ssh.hostKey.fingerprint}</code>
            </p>
          )}
          <Table
            caption={words.sshKeys}
            rows={ssh.keys}
            keyOf={({ fingerprint }) => fingerprint}
            columns={[
              { title: words.sshKey, cell: ({ type, comment }) => <strong>{comment || type}</strong> },
              { title: words.sshFingerprint, cell: ({ fingerprint }) => <code>{fingerprint}</code> },
              {
                title: '',
                cell: ({ fingerprint, comment }) => (
                  <Button
                    isSmall
                    label={`${words.sshRemove}: ${comment || fingerprint}`}
                    onClick={() => remove(fingerprint, comment || fingerprint)}
                  >
                    {words.sshRemove}
                  </Button>
                ),
              },
            ]}
          />
        </>
      )}
      <AddKey onAdded={answer.reload} />
    </Card>
  );
}

function AddKey({ onAdded }: { onAdded: () => Promise<unknown> }) {
  const words = text.value;
  const key = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.post('system/ssh/keys', { key: key.value, password: password.value });
    key.value = password.value = '';
    toast(words.sshAdded);
    await onAdded();
  });
  const problem = problemOf(error.value);
  return (
    <Form onSend={run}>
      <TextField
        label={words.sshPublicKey}
        hint={words.sshPublicKeyHint}
        placeholder="ssh-ed25519 AAAA…"
        isCode
        {...bound(key)}
        problem={problem('key')}
        isRequired
      />
      <PasswordField label={words.passwordNow} {...bound(password)} problem={problem('password')} />
      <ErrorBox error={error.value} fields={['key', 'password']} />
      <div class="actions">
        <Button type="submit" icon="plus" isBusy={isBusy.value}>
          {words.sshAdd}
        </Button>
      </div>
    </Form>
  );
}
