/** A backup, first shown, then restored: also the start of the first run. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { api } from '../../core/api.ts';
import type { RestoreAnswer } from '../../core/contract.ts';
import { formatBytes } from '../../core/format.ts';
import { useAction } from '../../core/resource.ts';
import { loadSession } from '../../core/session.ts';
import { toast } from '../../core/toast.ts';
import { Diff } from '../../frame/diff.tsx';
import { Ago, Button } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { bound, Form, PasswordField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { text } from './text.ts';

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

/** `level` of the heading that comes above what would change. */
export function RestoreForm({ level, onRestored }: { level: 'h2' | 'h3'; onRestored: () => void }) {
  const words = text.value;
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
      title: words.restoreTitle,
      consequences: [
        ...words.restoreConsequences,
        // Whoever restores signs in again, since sessions are not in a backup.
        ...(preview.value?.entries.some(({ name }) => name === AUTH) === true ? [words.restoreSignIn] : []),
      ],
      undo: words.restoreUndo,
      action: words.restoreNow,
      async perform() {
        const answer = await send(false);
        toast(answer?.restarts === true ? words.restored : words.restoredLater);
        onRestored();
        if (answer?.restarts === true) setTimeout(() => void loadSession(), RESTART_MS);
      },
    });
  return (
    <>
      <Form onSend={run}>
        <div class="field">
          <label for={id}>{words.file}</label>
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
          label={words.passphrase}
          autoComplete="off"
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
          <Button type="submit" isBusy={isBusy.value}>
            {words.dryRun}
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
  const words = text.value;
  return (
    <div class="stack">
      <Heading>{words.wouldChange}</Heading>
      <p class="faint">
        {words.from(hostname, version)}, <Ago at={createdAt} />
      </p>
      <Table
        caption={words.wouldChange}
        rows={entries}
        keyOf={({ name }) => name}
        columns={[
          { title: words.what, cell: ({ title }) => title },
          { title: words.outcome, cell: ({ change }) => words[change] },
          { title: words.size, isNumber: true, cell: ({ bytes }) => formatBytes(bytes) },
        ]}
      />
      {diff.length === 0 && entries.every(({ change }) => change === 'same') && <p>{words.nothing}</p>}
      {diff.length > 0 && <Diff entries={diff} />}
      <div class="actions">
        <Button kind="primary" onClick={onRestore}>
          {words.restoreNow}
        </Button>
      </div>
    </div>
  );
}
