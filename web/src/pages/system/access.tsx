import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import type { SessionsAnswer, TotpSecretAnswer } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { loadSession, session } from '../../core/session.ts';
import { toast } from '../../core/toast.ts';
import { Address, Ago, Button, Card, Loading, State } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ask, Dialog } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { Qr } from '../../ui/qr.tsx';
import { Ssh } from './ssh.tsx';
import { Tokens } from './tokens.tsx';

export function Access() {
  return (
    <>
      <div class="columns">
        <Password />
        <SecondFactor />
      </div>
      <Sessions />
      <Tokens />
      <Ssh />
    </>
  );
}

function Password() {
  const current = useSignal('');
  const next = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.put('password', { current: current.value, next: next.value });
    current.value = next.value = '';
    await loadSession();
    toast(text('The password is changed; other sessions have ended.'));
  });
  const problem = problemOf(error.value);
  return (
    <Card title={text('Password')}>
      <Form onSend={run}>
        <PasswordField label={text('Present password')} {...bound(current)} problem={problem('current')} />
        <PasswordField
          isNew
          label={text('New password')}
          hint={text('At least 10 characters. Every other session ends.')}
          {...bound(next)}
          problem={problem('next')}
        />
        <ErrorBox error={error.value} fields={['current', 'next']} />
        <div class="actions">
          <Button type="submit" isBusy={isBusy.value}>
            {text('Change the password')}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

function SecondFactor() {
  const isOn = session.value?.hasTotp === true;
  const secret = useSignal<TotpSecretAnswer | undefined>(undefined);
  const isRemoving = useSignal(false);
  const start = useAction(async () => {
    secret.value = await api.post<TotpSecretAnswer>('totp');
  });
  return (
    <Card title={text('Second factor')}>
      <p>
        <State
          state={isOn ? 'ok' : 'unknown'}
          word={
            isOn
              ? text('Signing in needs a code of your authenticator app.')
              : text('Off: the password alone signs in.')
          }
        />
      </p>
      <ErrorBox error={start.error.value} />
      {isOn ? (
        <Button onClick={() => (isRemoving.value = true)}>{text('Switch it off')}</Button>
      ) : (
        <Button icon="lock" isBusy={start.isBusy.value} onClick={() => void start.run()}>
          {text('Set up a second factor')}
        </Button>
      )}
      {secret.value !== undefined && (
        <Enrol secret={secret.value} onClose={() => (secret.value = undefined)} />
      )}
      {isRemoving.value && <RemoveTotp onClose={() => (isRemoving.value = false)} />}
    </Card>
  );
}

function Enrol({ secret: { secret, uri }, onClose }: { secret: TotpSecretAnswer; onClose: () => void }) {
  const code = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.put('totp', { code: code.value.replaceAll(' ', ''), password: password.value });
    await loadSession();
    toast(text('From now on, signing in needs a code.'));
    onClose();
  });
  return (
    <Dialog title={text('Set up a second factor')} onClose={onClose}>
      <Form onSend={run}>
        <p>
          {text(
            'Scan this with an authenticator app, or type the secret, then enter the code that it shows.',
          )}
        </p>
        <Qr value={uri} what={text('Second factor')} />
        <p>
          {text('Secret')}: <Address value={secret} />
        </p>
        <TextField
          label={text('Code')}
          isCode
          inputMode="numeric"
          autoComplete="one-time-code"
          {...bound(code)}
          problem={problemOf(error.value)('code')}
          isRequired
        />
        <PasswordField
          label={text('Present password')}
          {...bound(password)}
          problem={problemOf(error.value)('password')}
        />
        <ErrorBox error={error.value} fields={['code', 'password']} />
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={isBusy.value}>
            {text('Switch it on')}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function RemoveTotp({ onClose }: { onClose: () => void }) {
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.delete('totp', { password: password.value });
    await loadSession();
    toast(text('The second factor is off.'));
    onClose();
  });
  return (
    <Dialog
      title={text('Switch the second factor off?')}
      onClose={onClose}
      onSend={run}
      footer={
        <>
          <Button onClick={onClose}>{text('Cancel')}</Button>
          <Button kind="danger" type="submit" isBusy={isBusy.value}>
            {text('Switch it off')}
          </Button>
        </>
      }
    >
      <p>{text('From then on, the password alone signs in.')}</p>
      <PasswordField label={text('Present password')} {...bound(password)} />
      <ErrorBox error={error.value} />
    </Dialog>
  );
}

function Sessions() {
  const sessions = useResource<SessionsAnswer>('sessions');
  const { data, reload } = sessions;
  if (data.value === undefined) return <Loading of={sessions} />;
  const end = (id: string) =>
    ask({
      title: text('End this session?'),
      consequences: [text('Whoever uses it must sign in again.')],
      action: text('End'),
      async perform() {
        await api.delete(`sessions/${encodeURIComponent(id)}`);
        toast(text('The session has ended.'));
        await reload();
      },
    });
  const endAll = () =>
    ask({
      title: text('End every session?'),
      consequences: [text('Everybody must sign in again, including you.')],
      action: text('End all sessions'),
      async perform() {
        await api.delete('sessions');
        location.assign('/');
      },
    });
  return (
    <Card
      title={text('Sessions')}
      actions={
        <Button isSmall onClick={endAll}>
          {text('End all sessions')}
        </Button>
      }
    >
      <p class="faint">{text('Where you are signed in.')}</p>
      <Table
        caption={text('Sessions')}
        rows={data.value.sessions}
        keyOf={({ id }) => id}
        columns={[
          {
            title: text('Browser'),
            cell: ({ userAgent, isCurrent }) => (
              <>
                {browserOf(userAgent)} {isCurrent && <span class="tag">{text('this one')}</span>}
              </>
            ),
          },
          { title: text('From'), cell: ({ source }) => <code>{source}</code> },
          { title: text('Last seen'), cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} /> },
          {
            title: '',
            cell: ({ id, isCurrent, userAgent }) =>
              !isCurrent && (
                <Button isSmall label={`${text('End')}: ${browserOf(userAgent)}`} onClick={() => end(id)}>
                  {text('End')}
                </Button>
              ),
          },
        ]}
      />
    </Card>
  );
}

/** "Firefox 140, Linux": enough to recognise one's own browser. */
function browserOf(userAgent: string | null): string {
  if (userAgent === null) return '–';
  const [, name, version] = /(Edg|Firefox|Chrome|Version)\/(\d+)/.exec(userAgent) ?? [];
  const system = /Android|iPhone|iPad|Mac OS X|Windows|Linux/.exec(userAgent)?.[0] ?? '';
  return name === undefined
    ? userAgent.slice(0, 40)
    : `${name === 'Version' ? 'Safari' : name === 'Edg' ? 'Edge' : name} ${version}${system && `, ${system}`}`;
}
