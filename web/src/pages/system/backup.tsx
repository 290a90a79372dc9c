import { useSignal } from '@preact/signals';
import { api, download } from '../../core/api.ts';
import { text } from '../../core/locale.ts';
import { useAction } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card } from '../../ui/basics.tsx';
import { bound, Form, PasswordField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { RestoreForm } from './restore.tsx';

export function Backup() {
  const passphrase = useSignal('');
  const password = useSignal('');
  const { run, isBusy, error } = useAction(async () => {
    const body = { passphrase: passphrase.value, password: password.value };
    await download(await api.fetch('POST', 'backup', body), 'tombolo.backup');
    passphrase.value = password.value = '';
    toast(text('The backup is downloaded.'));
  });
  return (
    <div class="columns">
      <Card title={text('Make a backup')}>
        <p class="faint">
          {text(
            'One encrypted file with the configuration, the SSH ports, passwords and tokens. Without the passphrase nobody can read it, not even you.',
          )}
        </p>
        <Form onSend={run}>
          <PasswordField
            isNew
            label={text('Passphrase')}
            hint={text('At least 8 characters. Keep it in a different place from the file.')}
            {...bound(passphrase)}
            problem={problemOf(error.value)('passphrase')}
          />
          <PasswordField
            label={text('Present password')}
            {...bound(password)}
            problem={problemOf(error.value)('password')}
          />
          <ErrorBox error={error.value} fields={['passphrase', 'password']} />
          <div class="actions">
            <Button kind="primary" type="submit" icon="download" isBusy={isBusy.value}>
              {text('Download the backup')}
            </Button>
          </div>
        </Form>
      </Card>
      <Card title={text('Restore a backup')}>
        <p class="faint">{text('You see what would change before you confirm.')}</p>
        <RestoreForm level="h3" onRestored={() => {}} />
      </Card>
    </div>
  );
}
