import { useSignal } from '@preact/signals';
import { useAction } from '../core/resource.ts';
import { session, signIn } from '../core/session.ts';
import { Address, Button } from '../ui/basics.tsx';
import { bound, Form, PasswordField, TextField } from '../ui/field.tsx';
import { ErrorBox, problemOf } from '../ui/problems.tsx';
import { Brand, Preferences } from './frame.tsx';
import { text } from './text.ts';

export function SignIn() {
  const words = text.value.signIn;
  const password = useSignal('');
  const code = useSignal('');
  const needsCode = session.value?.hasTotp === true;
  const fingerprint = session.value?.certificateFingerprint;
  const { run, isBusy, error } = useAction(() =>
    signIn(password.value, needsCode ? code.value.replaceAll(' ', '') : undefined),
  );
  document.title = `${words.title} · Tombolo`;
  return (
    <main class="alone">
      <Brand />
      <Form class="alone-card stack" onSend={run}>
        <h1>{words.title}</h1>
        <PasswordField label={words.password} name="password" {...bound(password)} autoFocus />
        {needsCode && (
          <TextField
            label={words.code}
            hint={words.codeHint}
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
          {words.submit}
        </Button>
        <details>
          <summary>{words.forgotten}</summary>
          <p class="faint">{words.forgottenHelp}</p>
        </details>
        {fingerprint !== undefined && fingerprint !== null && (
          <div class="stack tight">
            <p class="hint">{words.fingerprint}</p>
            <Address value={fingerprint} />
          </div>
        )}
      </Form>
      <Preferences />
    </main>
  );
}
