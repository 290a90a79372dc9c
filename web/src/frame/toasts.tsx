import { text } from '../core/locale.ts';
import { dismiss, toasts } from '../core/toast.ts';
import { Button, Shape } from '../ui/basics.tsx';

export function Toasts() {
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label={text('Messages')}>
      {toasts.value.map(({ id, kind, text: message }) => (
        <div key={id} class={`toast ${kind}`}>
          <Shape tone={kind === 'done' ? 'ok' : 'fail'} />
          <span>{message}</span>
          <Button icon="close" isSmall label={text('Close')} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
