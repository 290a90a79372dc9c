import { text } from '../core/locale.ts';
import { RestoreForm } from '../pages/system/restore.tsx';
import { Button } from '../ui/basics.tsx';
import { step } from './state.ts';

export function RestoreStep() {
  return (
    <>
      <p>
        {text(
          'Choose the backup file and enter its passphrase. You see what would change before you confirm.',
        )}
      </p>
      <RestoreForm level="h2" onRestored={() => (step.value = undefined)} />
      <div class="actions">
        <Button onClick={() => (step.value = 'network')}>{text('Set it up by hand instead')}</Button>
      </div>
    </>
  );
}
