import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import type { SystemAnswer, SystemSshAnswer } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card, Loading, Snippet, State } from '../../ui/basics.tsx';
import { ask } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { Table } from '../../ui/table.tsx';

const REFRESH_MS = 5000;

/** SSH to the appliance itself; not shown on other machines. */
export function Ssh() {
  const system = useResource<SystemAnswer>('system');
  return system.data.value?.capabilities.ssh ? <SshCard /> : null;
}

function SshCard() {
  const answer = useResource<SystemSshAnswer>('system/ssh', { everyMs: REFRESH_MS });
  const ssh = answer.data.value;
  if (ssh === undefined) return <Loading of={answer} />;
  const isOn = ssh.keys.length > 0;
  const remove = (fingerprint: string, name: string) =>
    ask({
      title: text('Remove the key “{name}”?', { name }),
      consequences:
        ssh.keys.length === 1
          ? [text('It is the last one: SSH is switched off, and logins that are open end.')]
          : [text('It can no longer log in. Open logins stay open.')],
      action: text('Remove'),
      async perform() {
        await api.delete(`system/ssh/keys/${encodeURIComponent(fingerprint)}`);
        toast(text('The key is removed.'));
        await answer.reload();
      },
    });
  return (
    <Card title={text('SSH to this appliance')}>
      <p class="faint">
        {text(
          'A shell as root, for those who want to look inside. It takes keys, not passwords; without a key, SSH is off.',
        )}
      </p>
      <p>
        {isOn === ssh.isRunning ? (
          <State state={isOn ? 'ok' : 'unknown'} word={isOn ? text('On.') : text('Off: there is no key.')} />
        ) : (
          <State
            state="warn"
            word={isOn ? text('Switched on, but not running yet.') : text('Switched off, but still running.')}
          />
        )}
      </p>
      {isOn && (
        <>
          <Snippet
            value={`ssh root@${location.hostname.replace(/^\[|\]$/g, '')}`}
            what={text('SSH to this appliance')}
          />
          {ssh.hostKey !== null && (
            <p>
              {text('At the first login, ssh shows this fingerprint')}: <code>{ssh.hostKey.fingerprint}</code>
            </p>
          )}
          <Table
            caption={text('Keys')}
            rows={ssh.keys}
            keyOf={({ fingerprint }) => fingerprint}
            columns={[
              { title: text('Key'), cell: ({ type, comment }) => <strong>{comment || type}</strong> },
              { title: text('Fingerprint'), cell: ({ fingerprint }) => <code>{fingerprint}</code> },
              {
                title: '',
                cell: ({ fingerprint, comment }) => (
                  <Button
                    isSmall
                    label={`${text('Remove')}: ${comment || fingerprint}`}
                    onClick={() => remove(fingerprint, comment || fingerprint)}
                  >
                    {text('Remove')}
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
  const key = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.post('system/ssh/keys', { key: key.value, password: password.value });
    key.value = password.value = '';
    toast(text('The key may log in.'));
    await onAdded();
  });
  const problem = problemOf(error.value);
  return (
    <Form onSend={run}>
      <TextField
        label={text('Public key')}
        hint={text('The line in ~/.ssh/id_ed25519.pub on your computer; ssh-keygen makes one.')}
        placeholder="ssh-ed25519 AAAA…"
        isCode
        {...bound(key)}
        problem={problem('key')}
        isRequired
      />
      <PasswordField label={text('Present password')} {...bound(password)} problem={problem('password')} />
      <ErrorBox error={error.value} fields={['key', 'password']} />
      <div class="actions">
        <Button type="submit" icon="plus" isBusy={isBusy.value}>
          {text('Add this key')}
        </Button>
      </div>
    </Form>
  );
}
