import { navigate } from '../core/router.ts';
import { Button } from '../ui/basics.tsx';
import { firstServer, step } from './state.ts';
import { text } from './text.ts';

export function DoneStep() {
  const words = text.value.done;
  const leave = (to: string) => {
    step.value = undefined;
    navigate(to);
  };
  return (
    <>
      <p>{firstServer.value === '' ? words.leadEmpty : words.lead(firstServer.value)}</p>
      <div class="note">
        <p>
          <strong>{words.tips}</strong>
        </p>
        <ul class="consequences">
          {[words.tip1, words.tip2, words.tip3].map((tip) => (
            <li key={tip}>{tip}</li>
          ))}
        </ul>
      </div>
      <div class="actions">
        <Button kind="primary" onClick={() => leave('/')}>
          {words.dashboard}
        </Button>
        <Button icon="checks" onClick={() => leave('/checks')}>
          {words.check}
        </Button>
      </div>
    </>
  );
}
