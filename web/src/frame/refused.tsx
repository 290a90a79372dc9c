/** The file of the configuration was refused: what runs is another one, and which should be kept is a person's choice. */
import { api } from '../core/api.ts';
import { config, loadConfig } from '../core/config.ts';
import { status } from '../core/live.ts';
import { useAction } from '../core/resource.ts';
import { toast, toastError } from '../core/toast.ts';
import { Button } from '../ui/basics.tsx';
import { text } from './text.ts';

export function Refused() {
  const words = text.value.refused;
  const problem = status.value?.services.find(({ name }) => name === 'configuration')?.problem;
  // Not by `apply`, which would take the draft for done.
  const { run, isBusy } = useAction(async () => {
    const { document, revision } = config.value!;
    const body = { document, revision, confirmSeconds: 0, ignoreAssertions: true };
    await api
      .post('config/apply', body)
      .then(loadConfig)
      .then(() => toast(words.kept), toastError);
  });
  if (problem == null) return null;
  return (
    <section class="refused" role="alert" aria-label={words.label}>
      <p>{problem}</p>
      {config.value !== undefined && (
        <Button isBusy={isBusy.value} onClick={() => void run()}>
          {words.keep}
        </Button>
      )}
    </section>
  );
}
