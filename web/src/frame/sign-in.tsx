import { useSignal } from '@preact/signals';
import { text } from '../core/locale.ts';
import { useAction } from '../core/resource.ts';
import { session, signIn } from '../core/session.ts';
import { Address, Button } from '../ui/basics.tsx';
import { bound, Form, PasswordField, TextField } from '../ui/field.tsx';
import { ErrorBox, problemOf } from '../ui/problems.tsx';
import { Brand, Preferences } from './frame.tsx';

export function SignIn() {
  const password = useSignal('');
  const code = useSignal('');
  const needsCode = session.value?.hasTotp === true;
  const fingerprint = session.value?.certificateFingerprint;
  const { run, isBusy, error } = useAction(() =>
    signIn(password.value, needsCode ? code.value.replaceAll(' ', '') : undefined),
  );
  document.title = `${text('Sign in')} · Tombolo`;
  return (
    <main class="alone">
      <Brand />
      <Form class="alone-card stack" onSend={run}>
        <h1>{text('Sign in')}</h1>
        <PasswordField label={text('Password')} name="password" {...bound(password)} autoFocus />
        {needsCode && (
          <TextField
            label={text('Code of your authenticator app')}
            hint={text('Six digits, new every 30 seconds.')}
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            {...bound(code)}
            problem={problemOf(error.value)('code')}
            isRequired
            isCode
          />
        )}
        <ErrorBox error={error.value} fields={['code']} />
        <Button kind="primary" type="submit" isBusy={isBusy.value}>
          {text('Sign in')}
        </Button>
        <details>
          <summary>{text('Password forgotten?')}</summary>
          <p class="faint">
            {text(
              'Anybody who can log in to the machine as root (keyboard or SSH) can set a new one without the old one: see “When you are locked out” in docs/admin-access.md. An appliance without an SSH key reads one from its card: the file rpi-preseed.toml on the partition CONFIG. An empty file named factory-reset there erases everything, and the appliance starts as a new one.',
            )}
          </p>
        </details>
        {fingerprint !== undefined && fingerprint !== null && (
          <div class="stack tight">
            <p class="hint">
              {text(
                'SHA-256 fingerprint of this appliance’s certificate. Compare it with what your browser shows of the certificate (in its warning, or at the lock): if they differ, somebody is between you and the appliance.',
              )}
            </p>
            <Address value={fingerprint} />
          </div>
        )}
      </Form>
      <Preferences />
    </main>
  );
}
