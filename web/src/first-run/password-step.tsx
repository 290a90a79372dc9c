import { useSignal } from '@preact/signals';
import { text } from '../core/locale.ts';
import { useAction } from '../core/resource.ts';
import { claim, session } from '../core/session.ts';
import { Address, Button } from '../ui/basics.tsx';
import { bound, CheckField, Form, PasswordField } from '../ui/field.tsx';
import { ErrorBox, problemOf } from '../ui/problems.tsx';
import { firstServer, step } from './state.ts';

/** Same as the contract's PASSWORD_MIN_CHARACTERS; the API makes the final check. */
const LEAST_CHARACTERS = 10;

export function PasswordStep() {
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
  if (known?.claim?.isOpen === false)
    return (
      <Refused
        title={text('The time to claim this appliance is over')}
        help={text(
          'It ends so that nobody else can claim the appliance. Switch the appliance off and on again: then you have another half hour.',
        )}
      />
    );
  if (known?.claim?.isLocal === false)
    return (
      <Refused
        title={text('This appliance can only be claimed from its own network')}
        help={text('Open this page from a computer or phone that is connected to the same network.')}
      />
    );
  const minutes = Math.ceil((known?.claim?.endsInSeconds ?? 0) / 60);
  return (
    <Form class="stack" isUnchecked onSend={run}>
      <p>{text('Nobody has claimed this appliance yet. Choose a password to manage it.')}</p>
      <PasswordField
        isNew
        label={text('Password')}
        hint={text(
          'At least {least} characters. A few unrelated words are easy to remember and hard to guess.',
          {
            least: LEAST_CHARACTERS,
          },
        )}
        name="password"
        autoFocus
        {...bound(password)}
        problem={
          wasSent.value && password.value.length < LEAST_CHARACTERS
            ? text('Expected at least {least} characters.', { least: LEAST_CHARACTERS })
            : problemOf(error.value)('password')
        }
      />
      <PasswordField
        isNew
        label={text('The same password again')}
        name="password-again"
        {...bound(again)}
        problem={
          wasSent.value && again.value !== password.value ? text('The two passwords differ.') : undefined
        }
      />
      <CheckField
        label={text('Then restore a backup of another appliance')}
        isChecked={restores.value}
        onChange={(next) => (restores.value = next)}
      />
      <ErrorBox error={error.value} fields={['password']} />
      <Button kind="primary" type="submit" isBusy={isBusy.value}>
        {text('Claim this appliance')}
      </Button>
      {minutes > 0 && (
        <p class="hint">{text('It can be claimed for another {minutes} minutes.', { minutes })}</p>
      )}
      {known?.certificateFingerprint !== undefined && (
        <div class="stack tight">
          <p class="hint">
            {text(
              'SHA-256 fingerprint of its certificate. The screen at the appliance and your browser’s certificate dialog must show the same. If not, somebody is between you and the appliance.',
            )}
          </p>
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
