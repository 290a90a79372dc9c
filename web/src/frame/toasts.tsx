import { dismiss, toasts } from '../core/toast.ts';
import { Button, Shape } from '../ui/basics.tsx';
import { text as common } from '../ui/text.ts';
import { text } from './text.ts';

export function Toasts() {
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label={text.value.notifications}>
      {toasts.value.map(({ id, kind, text: message }) => (
        <div key={id} class={`toast ${kind}`}>
          <Shape tone={kind === 'done' ? 'ok' : 'fail'} />
          <span>{message}</span>
          <Button icon="close" isSmall label={common.value.close} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
