import { text } from '../core/locale.ts';
import { navigate } from '../core/router.ts';
import { Button } from '../ui/basics.tsx';
import { firstServer, step } from './state.ts';

export function DoneStep() {
  const leave = (to: string) => {
    step.value = undefined;
    navigate(to);
  };
  return (
    <>
      <p>
        {firstServer.value === ''
          ? text('Add servers whenever you like.')
          : text('{name} is reachable from IPv4 as soon as the DNS records have arrived.', {
              name: firstServer.value,
            })}
      </p>
      <div class="note">
        <p>
          <strong>{text('Do these soon')}</strong>
        </p>
        <ul class="consequences">
          {[
            text('Make a backup: one encrypted file, on the System page.'),
            text('Protect the sign-in with a second factor, on the System page.'),
            text('Add the other servers: you can paste several at once.'),
          ].map((tip) => (
            <li key={tip}>{tip}</li>
          ))}
        </ul>
      </div>
      <div class="actions">
        <Button kind="primary" onClick={() => leave('/')}>
          {text('To the dashboard')}
        </Button>
        <Button icon="checks" onClick={() => leave('/checks')}>
          {text('Check my setup')}
        </Button>
      </div>
    </>
  );
}
