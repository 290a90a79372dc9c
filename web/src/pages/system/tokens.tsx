import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import type { Scope, TokenMadeAnswer, TokensAnswer } from '../../core/contract.ts';
import { say, text } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Ago, Button, Card, Empty, Loading, Snippet } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';

const SCOPE_WORDS = {
  read: say('read'),
  configure: say('read and configure'),
  system: say('do everything'),
};

const DAYS_WORDS = {
  '30': say('in 30 days'),
  '90': say('in 90 days'),
  '365': say('in a year'),
  never: say('never'),
};

const DAYS = ['30', '90', '365', 'never'] as const;
type Days = (typeof DAYS)[number];
const SCOPES: readonly Scope[] = ['read', 'configure', 'system'];

export function Tokens() {
  const tokens = useResource<TokensAnswer>('tokens');
  const { data, reload } = tokens;
  const name = useSignal('');
  const scope = useSignal<Scope>('read');
  const days = useSignal<Days>('90');
  const password = useSignal('');
  const made = useSignal<TokenMadeAnswer | undefined>(undefined);
  const { run, isBusy, error } = useAction(async () => {
    const expiresInDays = days.value === 'never' ? null : Number(days.value);
    made.value = await api.post<TokenMadeAnswer>('tokens', {
      name: name.value.trim(),
      scope: scope.value,
      expiresInDays,
      password: password.value,
    });
    name.value = password.value = '';
    await reload();
  });
  if (data.value === undefined) return <Loading of={tokens} />;
  const revoke = (id: string, title: string) =>
    ask({
      title: text('Revoke the token “{name}”?', { name: title }),
      consequences: [text('Programs that use it are refused at once.')],
      action: text('Revoke'),
      async perform() {
        await api.delete(`tokens/${encodeURIComponent(id)}`);
        toast(text('The token is revoked.'));
        await reload();
      },
    });
  return (
    <Card title={text('API tokens')}>
      <p class="faint">
        {text('For programs: scripts, Prometheus, the command line. Each can be revoked by itself.')}
      </p>
      <Form class="form inline" onSend={run}>
        <TextField
          label={text('What it is for')}
          placeholder="Prometheus"
          {...bound(name)}
          problem={problemOf(error.value)('name')}
          isRequired
        />
        <SelectField<Scope>
          label={text('It may')}
          value={scope.value}
          options={SCOPES.map((each) => [each, text(SCOPE_WORDS[each])])}
          onChange={(next) => (scope.value = next)}
        />
        <SelectField<Days>
          label={text('Expires')}
          value={days.value}
          options={DAYS.map((each) => [each, text(DAYS_WORDS[each])])}
          onChange={(next) => (days.value = next)}
        />
        <PasswordField
          label={text('Present password')}
          {...bound(password)}
          problem={problemOf(error.value)('password')}
        />
        <Button type="submit" icon="plus" isBusy={isBusy.value}>
          {text('Make a token')}
        </Button>
      </Form>
      <ErrorBox error={error.value} fields={['name', 'password']} />
      {made.value !== undefined && (
        <div class="note stack tight" role="status">
          <p>
            <strong>{made.value.name}</strong>: {text('This is the token. It is shown only once.')}
          </p>
          <Snippet value={made.value.secret} what={text('API tokens')} />
        </div>
      )}
      {data.value.tokens.length === 0 ? (
        <Empty title={text('No tokens yet')}>
          <p>{text('Make one for each program, with no more rights than it needs.')}</p>
        </Empty>
      ) : (
        <Table
          caption={text('API tokens')}
          rows={data.value.tokens}
          keyOf={({ id }) => id}
          columns={[
            { title: text('What it is for'), cell: (token) => <strong>{token.name}</strong> },
            { title: text('It may'), cell: (token) => text(SCOPE_WORDS[token.scope]) },
            {
              title: text('Expires'),
              cell: ({ expiresAt }) => (expiresAt === null ? text('never') : <Ago at={expiresAt} />),
            },
            { title: text('Last used'), cell: ({ lastUsedAt }) => <Ago at={lastUsedAt} /> },
            {
              title: '',
              cell: (token) => (
                <Button
                  isSmall
                  label={`${text('Revoke')}: ${token.name}`}
                  onClick={() => revoke(token.id, token.name)}
                >
                  {text('Revoke')}
                </Button>
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}
