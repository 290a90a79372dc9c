import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import type { SessionsAnswer, TotpSecretAnswer } from '../../core/contract.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { loadSession, session } from '../../core/session.ts';
import { toast } from '../../core/toast.ts';
import { Address, Ago, Button, Card, Loading, State } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ask, Dialog } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { Qr } from '../../ui/qr.tsx';
import { text as common } from '../../ui/text.ts';
import { Ssh } from './ssh.tsx';
import { text } from './text.ts';
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
  const words = text.value;
  const current = useSignal('');
  const next = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.put('password', { current: current.value, next: next.value });
    current.value = next.value = '';
    await loadSession();
    toast(words.passwordSaved);
  });
  const problem = problemOf(error.value);
  return (
    <Card title={words.password}>
      <Form onSend={run}>
        <PasswordField label={words.passwordNow} {...bound(current)} problem={problem('current')} />
        <PasswordField
          isNew
          label={words.passwordNew}
          hint={words.passwordHint}
          {...bound(next)}
          problem={problem('next')}
        />
        <ErrorBox error={error.value} fields={['current', 'next']} />
        <div class="actions">
          <Button type="submit" isBusy={isBusy.value}>
            {words.passwordSave}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

function SecondFactor() {
  const words = text.value;
  const isOn = session.value?.hasTotp === true;
  const secret = useSignal<TotpSecretAnswer | undefined>(undefined);
  const isRemoving = useSignal(false);
  const start = useAction(async () => {
    secret.value = await api.post<TotpSecretAnswer>('totp');
  });
  return (
    <Card title={words.totp}>
      <p>
        <State state={isOn ? 'ok' : 'unknown'} word={isOn ? words.totpOn : words.totpOff} />
      </p>
      <ErrorBox error={start.error.value} />
      {isOn ? (
        <Button onClick={() => (isRemoving.value = true)}>{words.totpRemove}</Button>
      ) : (
        <Button icon="lock" isBusy={start.isBusy.value} onClick={() => void start.run()}>
          {words.totpStart}
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
  const words = text.value;
  const code = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.put('totp', { code: code.value.replaceAll(' ', ''), password: password.value });
    await loadSession();
    toast(words.totpEnabled);
    onClose();
  });
  return (
    <Dialog title={words.totpStart} onClose={onClose}>
      <Form onSend={run}>
        <p>{words.totpScan}</p>
        <Qr value={uri} what={words.totp} />
        <p>
          {words.totpSecret}: <Address value={secret} />
        </p>
        <TextField
          label={words.totpCode}
          isCode
          inputMode="numeric"
          autoComplete="one-time-code"
          {...bound(code)}
          problem={problemOf(error.value)('code')}
          isRequired
        />
        <PasswordField
          label={words.passwordNow}
          {...bound(password)}
          problem={problemOf(error.value)('password')}
        />
        <ErrorBox error={error.value} fields={['code', 'password']} />
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={isBusy.value}>
            {words.totpConfirm}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function RemoveTotp({ onClose }: { onClose: () => void }) {
  const words = text.value;
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    await api.delete('totp', { password: password.value });
    await loadSession();
    toast(words.totpRemoved);
    onClose();
  });
  return (
    <Dialog
      title={words.totpRemoveTitle}
      onClose={onClose}
      onSend={run}
      footer={
        <>
          <Button onClick={onClose}>{common.value.cancel}</Button>
          <Button kind="danger" type="submit" isBusy={isBusy.value}>
            {words.totpRemove}
          </Button>
        </>
      }
    >
      <p>{words.totpRemoveConsequence}</p>
      <PasswordField label={words.passwordNow} {...bound(password)} />
      <ErrorBox error={error.value} />
    </Dialog>
  );
}

function Sessions() {
  const words = text.value;
  const sessions = useResource<SessionsAnswer>('sessions');
  const { data, reload } = sessions;
  if (data.value === undefined) return <Loading of={sessions} />;
  const end = (id: string) =>
    ask({
      title: words.endTitle,
      consequences: [words.endConsequence],
      action: words.end,
      async perform() {
        await api.delete(`sessions/${encodeURIComponent(id)}`);
        toast(words.ended);
        await reload();
      },
    });
  const endAll = () =>
    ask({
      title: words.endAllTitle,
      consequences: [words.endAllConsequence],
      action: words.endAll,
      async perform() {
        await api.delete('sessions');
        location.assign('/');
      },
    });
  return (
    <Card
      title={words.sessions}
      actions={
        <Button isSmall onClick={endAll}>
          {words.endAll}
        </Button>
      }
    >
      <p class="faint">{words.sessionsLead}</p>
      <Table
        caption={words.sessions}
        rows={data.value.sessions}
        keyOf={({ id }) => id}
        columns={[
          {
            title: words.session,
            cell: ({ userAgent, isCurrent }) => (
              <>
                {browserOf(userAgent)} {isCurrent && <span class="tag">{words.current}</span>}
              </>
            ),
          },
          { title: words.source, cell: ({ source }) => <code>{source}</code> },
          { title: words.lastSeen, cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} /> },
          {
            title: '',
            cell: ({ id, isCurrent, userAgent }) =>
              !isCurrent && (
                <Button isSmall label={`${words.end}: ${browserOf(userAgent)}`} onClick={() => end(id)}>
                  {words.end}
                </Button>
              ),
          },
        ]}
      />
    </Card>
  );
}

/** "Firefox 140, Linux": enough to know one's own again. */
function browserOf(userAgent: string | null): string {
  if (userAgent === null) return '–';
  const [, name, version] = /(Edg|Firefox|Chrome|Version)\/(\d+)/.exec(userAgent) ?? [];
  const system = /Android|iPhone|iPad|Mac OS X|Windows|Linux/.exec(userAgent)?.[0] ?? '';
  return name === undefined
    ? userAgent.slice(0, 40)
    : `${name === 'Version' ? 'Safari' : name === 'Edg' ? 'Edge' : name} ${version}${system && `, ${system}`}`;
}
