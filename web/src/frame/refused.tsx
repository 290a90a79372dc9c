/** The configuration file was refused, so another configuration is active. The user must choose which one to keep. */
import { api } from '../core/api.ts';
import { config, loadConfig } from '../core/config.ts';
import { status } from '../core/live.ts';
import { text } from '../core/locale.ts';
import { useAction } from '../core/resource.ts';
import { toast, toastError } from '../core/toast.ts';
import { Button } from '../ui/basics.tsx';

export function Refused() {
  const problem = status.value?.services.find(({ name }) => name === 'configuration')?.problem;
  // Without `apply`, which would treat the draft as applied.
  const { run, isBusy } = useAction(async () => {
    const { document, revision } = config.value!;
    const body = { document, revision, confirmSeconds: 0, ignoreAssertions: true };
    await api
      .post('config/apply', body)
      .then(loadConfig)
      .then(() => toast(text('The file now has the running configuration.')), toastError);
  });
  if (problem == null) return null;
  return (
    <section class="refused" role="alert" aria-label={text('The configuration file is refused')}>
      <p>{problem}</p>
      {config.value !== undefined && (
        <Button isBusy={isBusy.value} onClick={() => void run()}>
          {text('Use the running configuration')}
        </Button>
      )}
    </section>
  );
}
