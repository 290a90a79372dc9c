import { useSignal } from '@preact/signals';
import { api } from '../../core/api.ts';
import type { Scope, TokenMadeAnswer, TokensAnswer } from '../../core/contract.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Ago, Button, Card, Empty, Loading, Snippet } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { text } from './text.ts';

const DAYS = ['30', '90', '365', 'never'] as const;
type Days = (typeof DAYS)[number];
const SCOPES: readonly Scope[] = ['read', 'configure', 'system'];

export function Tokens() {
  const words = text.value;
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
      title: words.revokeTitle(title),
      consequences: [words.revokeConsequence],
      action: words.revoke,
      async perform() {
        await api.delete(`tokens/${encodeURIComponent(id)}`);
        toast(words.revoked);
        await reload();
      },
    });
  return (
    <Card title={words.tokens}>
      <p class="faint">{words.tokensLead}</p>
      <Form class="form inline" onSend={run}>
        <TextField
          label={words.tokenName}
          placeholder="Prometheus"
          {...bound(name)}
          problem={problemOf(error.value)('name')}
          isRequired
        />
        <SelectField<Scope>
          label={words.tokenScope}
          value={scope.value}
          options={SCOPES.map((each) => [each, words.scopes[each]])}
          onChange={(next) => (scope.value = next)}
        />
        <SelectField<Days>
          label={words.tokenExpires}
          value={days.value}
          options={DAYS.map((each) => [each, words.tokenDays[each]])}
          onChange={(next) => (days.value = next)}
        />
        <PasswordField
          label={words.passwordNow}
          {...bound(password)}
          problem={problemOf(error.value)('password')}
        />
        <Button type="submit" icon="plus" isBusy={isBusy.value}>
          {words.tokenMake}
        </Button>
      </Form>
      <ErrorBox error={error.value} fields={['name', 'password']} />
      {made.value !== undefined && (
        <div class="note stack tight" role="status">
          <p>
            <strong>{made.value.name}</strong>: {words.tokenMade}
          </p>
          <Snippet value={made.value.secret} what={words.tokens} />
        </div>
      )}
      {data.value.tokens.length === 0 ? (
        <Empty title={words.tokensNone}>
          <p>{words.tokensNoneHelp}</p>
        </Empty>
      ) : (
        <Table
          caption={words.tokens}
          rows={data.value.tokens}
          keyOf={({ id }) => id}
          columns={[
            { title: words.tokenName, cell: (token) => <strong>{token.name}</strong> },
            { title: words.tokenScope, cell: (token) => words.scopes[token.scope] },
            {
              title: words.tokenExpires,
              cell: ({ expiresAt }) => (expiresAt === null ? words.tokenDays.never : <Ago at={expiresAt} />),
            },
            { title: words.tokenUsed, cell: ({ lastUsedAt }) => <Ago at={lastUsedAt} /> },
            {
              title: '',
              cell: (token) => (
                <Button
                  isSmall
                  label={`${words.revoke}: ${token.name}`}
                  onClick={() => revoke(token.id, token.name)}
                >
                  {words.revoke}
                </Button>
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}
