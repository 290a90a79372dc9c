/** Shows a backup, then restores it; also the start of the first run. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { api } from '../../core/api.ts';
import type { RestoreAnswer } from '../../core/contract.ts';
import { formatBytes } from '../../core/format.ts';
import { say, text } from '../../core/locale.ts';
import { useAction } from '../../core/resource.ts';
import { loadSession } from '../../core/session.ts';
import { toast } from '../../core/toast.ts';
import { Diff } from '../../frame/diff.tsx';
import { Ago, Button } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';

const RESTART_MS = 4000;
/** The entry of a backup with the password. */
const AUTH = 'state/auth.json';

function readBase64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

const CHANGES = {
  same: say('stays the same'),
  new: say('is new'),
  replaces: say('is replaced'),
};

/** `level` of the heading above the list of changes. */
export function RestoreForm({ level, onRestored }: { level: 'h2' | 'h3'; onRestored: () => void }) {
  const id = useId();
  const file = useSignal<File | undefined>(undefined);
  const passphrase = useSignal('');
  const password = useSignal('');
  const preview = useSignal<RestoreAnswer | undefined>(undefined);
  const send = async (isDryRun: boolean) => {
    if (file.value === undefined) return undefined;
    const body = {
      file: await readBase64(file.value),
      passphrase: passphrase.value,
      password: password.value,
    };
    return api.post<RestoreAnswer>(`restore${isDryRun ? '?dryRun=true' : ''}`, body);
  };
  const { run, isBusy, error } = useAction(async () => {
    preview.value = undefined;
    preview.value = await send(true);
  });
  const restore = () =>
    ask({
      title: text('Restore this backup?'),
      consequences: [
        text('Settings made since the backup are lost.'),
        text('The service starts again: connections through the appliance end.'),
        // After a restore the user must sign in again, since sessions are not in a backup.
        ...(preview.value?.entries.some(({ name }) => name === AUTH) === true
          ? [text('Everybody must sign in again, with the password and the second factor of the backup.')]
          : []),
      ],
      undo: text('The history of the configuration keeps the present one.'),
      action: text('Restore'),
      async perform() {
        const answer = await send(false);
        toast(
          answer?.restarts === true
            ? text('The backup is restored; the service starts again with it.')
            : text('The backup is restored; it takes effect when the service is started again.'),
        );
        onRestored();
        if (answer?.restarts === true) setTimeout(() => void loadSession(), RESTART_MS);
      },
    });
  return (
    <>
      <Form onSend={run}>
        <div class="field">
          <label for={id}>{text('Backup file')}</label>
          <input
            id={id}
            type="file"
            required
            onChange={(event) => {
              file.value = event.currentTarget.files?.[0];
              preview.value = undefined;
            }}
          />
        </div>
        <PasswordField
          label={text('Passphrase')}
          autoComplete="off"
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
          <Button type="submit" isBusy={isBusy.value}>
            {text('Show what would change')}
          </Button>
        </div>
      </Form>
      <div aria-live="polite">
        {preview.value !== undefined && <Preview level={level} answer={preview.value} onRestore={restore} />}
      </div>
    </>
  );
}

function Preview({
  level: Heading,
  answer: { createdAt, version, hostname, entries, diff },
  onRestore,
}: {
  level: 'h2' | 'h3';
  answer: RestoreAnswer;
  onRestore: () => void;
}) {
  return (
    <div class="stack">
      <Heading>{text('What would change')}</Heading>
      <p class="faint">
        {text('Of {hostname}, version {version}', { hostname, version })}, <Ago at={createdAt} />
      </p>
      <Table
        caption={text('What would change')}
        rows={entries}
        keyOf={({ name }) => name}
        columns={[
          { title: text('What'), cell: ({ title }) => title },
          { title: text('Outcome'), cell: ({ change }) => text(CHANGES[change]) },
          { title: text('Size'), isNumber: true, cell: ({ bytes }) => formatBytes(bytes) },
        ]}
      />
      {diff.length === 0 && entries.every(({ change }) => change === 'same') && (
        <p>{text('Nothing: everything is as in the backup.')}</p>
      )}
      {diff.length > 0 && <Diff entries={diff} />}
      <div class="actions">
        <Button kind="primary" onClick={onRestore}>
          {text('Restore')}
        </Button>
      </div>
    </div>
  );
}
