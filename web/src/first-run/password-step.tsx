import { useSignal } from '@preact/signals';
import { useAction } from '../core/resource.ts';
import { claim, session } from '../core/session.ts';
import { Address, Button } from '../ui/basics.tsx';
import { bound, CheckField, Form, PasswordField } from '../ui/field.tsx';
import { ErrorBox, problemOf } from '../ui/problems.tsx';
import { firstServer, step } from './state.ts';
import { text } from './text.ts';

/** As the contract's PASSWORD_MIN_CHARACTERS; the API has the last word. */
const LEAST_CHARACTERS = 10;

export function PasswordStep() {
  const words = text.value.password;
  const password = useSignal('');
  const again = useSignal('');
  const restores = useSignal(false);
  const wasSent = useSignal(false);
  const { run, isBusy, error } = useAction(async () => {
    wasSent.value = true;
    if (password.value.length < LEAST_CHARACTERS || again.value !== password.value) return;
    firstServer.value = '';
    step.value = restores.value ? 'restore' : 'network';
    try {
      await claim(password.value);
    } catch (problem) {
      step.value = undefined;
      throw problem;
    }
  });
  const known = session.value;
  if (known?.claim?.isOpen === false) return <Refused title={words.closed} help={words.closedHelp} />;
  if (known?.claim?.isLocal === false) return <Refused title={words.foreign} help={words.foreignHelp} />;
  const minutes = Math.ceil((known?.claim?.endsInSeconds ?? 0) / 60);
  return (
    <Form class="stack" isUnchecked onSend={run}>
      <p>{words.lead}</p>
      <PasswordField
        isNew
        label={words.label}
        hint={words.hint(LEAST_CHARACTERS)}
        name="password"
        autoFocus
        {...bound(password)}
        problem={
          wasSent.value && password.value.length < LEAST_CHARACTERS
            ? words.short(LEAST_CHARACTERS)
            : problemOf(error.value)('password')
        }
      />
      <PasswordField
        isNew
        label={words.again}
        name="password-again"
        {...bound(again)}
        problem={wasSent.value && again.value !== password.value ? words.differs : undefined}
      />
      <CheckField
        label={words.restore}
        isChecked={restores.value}
        onChange={(next) => (restores.value = next)}
      />
      <ErrorBox error={error.value} fields={['password']} />
      <Button kind="primary" type="submit" isBusy={isBusy.value}>
        {words.submit}
      </Button>
      {minutes > 0 && <p class="hint">{words.left(minutes)}</p>}
      {known?.certificateFingerprint !== undefined && (
        <div class="stack tight">
          <p class="hint">{words.fingerprint}</p>
          <Address value={known.certificateFingerprint} />
        </div>
      )}
    </Form>
  );
}

function Refused({ title, help }: { title: string; help: string }) {
  return (
    <div class="note" role="alert">
      <p>
        <strong>{title}</strong>
      </p>
      <p>{help}</p>
    </div>
  );
}
