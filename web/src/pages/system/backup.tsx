import { useSignal } from '@preact/signals';
import { api, download } from '../../core/api.ts';
import { useAction } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card } from '../../ui/basics.tsx';
import { bound, Form, PasswordField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { RestoreForm } from './restore.tsx';
import { text } from './text.ts';

export function Backup() {
  const words = text.value;
  const passphrase = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    const body = { passphrase: passphrase.value, password: password.value };
    await download(await api.fetch('POST', 'backup', body), 'tombolo.backup');
    passphrase.value = password.value = '';
    toast(words.made);
  });
  return (
    <div class="columns">
      <Card title={words.make}>
        <p class="faint">{words.makeLead}</p>
        <Form onSend={run}>
          <PasswordField
            isNew
            label={words.passphrase}
            hint={words.passphraseHint}
            {...bound(passphrase)}
            problem={problemOf(error.value)('passphrase')}
          />
          <PasswordField
            label={words.passwordNow}
            {...bound(password)}
            problem={problemOf(error.value)('password')}
          />
          <ErrorBox error={error.value} fields={['passphrase', 'password']} />
          <div class="actions">
            <Button kind="primary" type="submit" icon="download" isBusy={isBusy.value}>
              {words.makeGet}
            </Button>
          </div>
        </Form>
      </Card>
      <Card title={words.restore}>
        <p class="faint">{words.restoreLead}</p>
        <RestoreForm level="h3" onRestored={() => {}} />
      </Card>
    </div>
  );
}
