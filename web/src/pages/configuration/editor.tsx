/** The document as text, for those who prefer it; and the whole active configuration, to read. */
import { useSignal } from '@preact/signals';
import {
  checkDocument,
  config,
  type ConfigDocument,
  discardDraft,
  edited,
  setDraft,
} from '../../core/config.ts';
import type { Problem } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useAction } from '../../core/resource.ts';
import { parameter } from '../../core/router.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card, Snippet } from '../../ui/basics.tsx';
import { TextArea } from '../../ui/field.tsx';
import { ErrorBox, ProblemList } from '../../ui/problems.tsx';

const print = (value: unknown) => JSON.stringify(value, undefined, 2);

export function Editor() {
  const written = useSignal(print(edited.value));
  const problems = useSignal<readonly Problem[] | undefined>(undefined);
  const { run, isBusy, error } = useAction(async (takes: boolean) => {
    problems.value = undefined;
    // The text itself is checked, so that problems have line numbers, even if it is not JSON.
    const answer = await checkDocument(written.value);
    problems.value = answer.problems;
    if (!answer.valid || !takes) return;
    setDraft(JSON.parse(written.value) as ConfigDocument);
    toast(text('This document is now the draft. Review it in the bar below.'));
  });
  return (
    <>
      {parameter('path') !== '' && (
        <p class="note">{text('This link leads to {path}.', { path: parameter('path') })}</p>
      )}
      <Card>
        <TextArea
          label={text('The document')}
          hint={text('Anything left out has its default: an empty object is a valid configuration.')}
          rows={22}
          value={written.value}
          onInput={(value) => (written.value = value)}
        />
        <div class="actions">
          <Button kind="primary" isBusy={isBusy.value} onClick={() => void run(true)}>
            {text('Use as the draft')}
          </Button>
          <Button isBusy={isBusy.value} onClick={() => void run(false)}>
            {text('Check')}
          </Button>
          <Button
            onClick={() => {
              discardDraft();
              problems.value = undefined;
              written.value = print(config.value?.document);
            }}
          >
            {text('Back to the active configuration')}
          </Button>
        </div>
        <div aria-live="polite">
          {problems.value?.length === 0 && <p class="tone-ok">{text('This is a valid configuration.')}</p>}
          {problems.value !== undefined && problems.value.length > 0 && (
            <div class="error-box">
              <ProblemList problems={problems.value} />
            </div>
          )}
          <ErrorBox error={error.value} />
        </div>
      </Card>
      <details>
        <summary>{text('With all defaults')}</summary>
        <p class="faint">
          {text('The active configuration, with the defaults that the document leaves out.')}
        </p>
        <Snippet value={print(config.value?.effective)} what={text('With all defaults')} />
      </details>
    </>
  );
}
