import { RestoreForm } from '../pages/system/restore.tsx';
import { Button } from '../ui/basics.tsx';
import { step } from './state.ts';
import { text } from './text.ts';

export function RestoreStep() {
  const words = text.value.restore;
  return (
    <>
      <p>{words.lead}</p>
      <RestoreForm level="h2" onRestored={() => (step.value = undefined)} />
      <div class="actions">
        <Button onClick={() => (step.value = 'network')}>{words.skip}</Button>
      </div>
    </>
  );
}
