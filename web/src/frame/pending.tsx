/** The bar for changes that are not final: a draft to review, or an applied change whose countdown runs. */
import { effect, signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  apply,
  CONFIRM_SECONDS,
  config,
  confirm,
  discardDraft,
  draft,
  draftCheck,
  edited,
  followPort,
  isDraftStale,
  loadConfig,
  loadPending,
  pending,
  rollBack,
} from '../core/config.ts';
import { text } from '../core/locale.ts';
import { useAction } from '../core/resource.ts';
import { toast, toastError } from '../core/toast.ts';
import { Button } from '../ui/basics.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { CheckField } from '../ui/field.tsx';
import { ErrorBox, ProblemList } from '../ui/problems.tsx';
import { Diff } from './diff.tsx';
import { actorName } from '../ui/actor.ts';

export const isReviewing = signal(false);
const seenRollback = signal(sessionStorage.getItem('tombolo-rollback') ?? '');
effect(() => sessionStorage.setItem('tombolo-rollback', seenRollback.value));

export function PendingBar() {
  const waiting = pending.value?.pending;
  const rollback = pending.value?.lastRollback;
  const change = useAction(async (action: () => Promise<void>, done: string) => {
    await action().then(() => toast(done), toastError);
  });
  // Another person or another tab may apply or confirm.
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) loadPending().catch(() => {});
    }, 10_000);
    return () => clearInterval(timer);
  }, []);

  if (waiting != null) {
    return (
      <section class="pending counting" aria-label={text('Changes that are not final')}>
        <p>
          <strong>
            {text('Applied by {by}. Does everything still work?', { by: actorName(waiting.by) })}
          </strong>
          <br />
          {text('Rolls back by itself in')} <Countdown until={waiting.confirmBy} />
        </p>
        <div class="actions">
          <Button
            isBusy={change.isBusy.value}
            onClick={() => void change.run(rollBack, text('The previous configuration is active again.'))}
          >
            {text('Roll back now')}
          </Button>
          <Button
            kind="primary"
            icon="done"
            isBusy={change.isBusy.value}
            onClick={() => void change.run(confirm, text('The change is kept.'))}
          >
            {text('Keep the change')}
          </Button>
        </div>
      </section>
    );
  }
  if (draft.value !== undefined) {
    const check = draftCheck.value;
    const line =
      check === undefined
        ? text('Your changes are not applied yet.')
        : check.valid
          ? text(
              check.diff.length === 1
                ? '1 change is not applied yet.'
                : '{count} changes are not applied yet.',
              { count: check.diff.length },
            )
          : text('Your changes are not a valid configuration yet.');
    return (
      <section class="pending" aria-label={text('Changes that are not final')}>
        <p>
          <strong>{line}</strong>{' '}
          {isDraftStale.value &&
            text(
              'The configuration was changed elsewhere in the meantime. The review shows what your changes would undo.',
            )}
        </p>
        <div class="actions">
          <Button
            onClick={() => {
              discardDraft();
              toast(text('Your changes are discarded.'));
            }}
          >
            {text('Discard')}
          </Button>
          <Button kind="primary" onClick={() => (isReviewing.value = true)}>
            {text('Review and apply')}
          </Button>
        </div>
        {isReviewing.value && <Review />}
      </section>
    );
  }
  if (rollback != null && rollback.reason !== 'asked' && rollback.at !== seenRollback.value) {
    return (
      <section class="pending" aria-label={text('Changes that are not final')}>
        <p>
          <strong>{text('The last change was rolled back')}:</strong> {rollback.text}
        </p>
        <Button onClick={() => (seenRollback.value = rollback.at)}>{text('Understood')}</Button>
      </section>
    );
  }
  return null;
}

/** Seconds left, by this machine's clock, counted from the moment the answer arrived. */
function Countdown({ until }: { until: string }) {
  const seconds = useSignal(0);
  useEffect(() => {
    const { secondsLeft: left = 0, diff } = pending.value?.pending ?? {};
    const endsAt = performance.now() + left * 1000;
    const tick = () => {
      seconds.value = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
      if (seconds.value === 0) {
        clearInterval(timer);
        setTimeout(() => {
          if (!followPort(diff, true)) loadConfig().catch(() => {});
        }, 1500);
      }
    };
    const timer = setInterval(tick, 500);
    tick();
    return () => clearInterval(timer);
  }, [until]);
  return (
    <span class="countdown" role="timer">
      {text('{count} s', { count: seconds.value })}
    </span>
  );
}

function Review() {
  const check = draftCheck.value;
  const ignores = useSignal(false);
  const close = () => (isReviewing.value = false);
  const { run, isBusy, error } = useAction(async (confirmSeconds: number) => {
    await apply(edited.value, {
      confirmSeconds,
      ignoreAssertions: ignores.value,
      revision: config.value?.revision,
    });
    close();
    // With a countdown, the bar shows it.
    if (confirmSeconds === 0) toast(text('Applied.'));
  });
  const failing = check?.failedAssertions ?? [];
  const isReady = check?.valid === true && check.diff.length > 0 && (failing.length === 0 || ignores.value);
  return (
    <Dialog
      title={text('Review and apply')}
      isWide
      onClose={close}
      footer={
        <>
          <Button isDisabled={!isReady} isBusy={isBusy.value} onClick={() => void run(0)}>
            {text('Apply without a countdown')}
          </Button>
          <Button
            kind="primary"
            isDisabled={!isReady}
            isBusy={isBusy.value}
            onClick={() => void run(CONFIRM_SECONDS)}
          >
            {text('Apply, with a countdown')}
          </Button>
        </>
      }
    >
      {check?.valid === false && (
        <div class="error-box">
          <p>{text('This cannot be applied')}</p>
          <ProblemList problems={check.problems} />
        </div>
      )}
      {check?.valid === true &&
        (check.diff.length === 0 ? (
          <p>{text('These changes have no effect: the configuration would stay the same.')}</p>
        ) : (
          <Diff entries={check.diff} />
        ))}
      {failing.length > 0 && (
        <div class="error-box">
          <p>{text('These assertions would no longer hold')}</p>
          <ul class="problem-list">
            {failing.map(({ path, name, message }) => (
              <li key={path}>
                <strong>{name}</strong>: {message}
              </li>
            ))}
          </ul>
          <CheckField
            label={text('Apply although assertions fail')}
            isChecked={ignores.value}
            onChange={(next) => (ignores.value = next)}
          />
        </div>
      )}
      <ErrorBox error={error.value} />
      <p class="faint">
        {text(
          'After applying, you have {seconds} seconds to confirm, from the new address if it changes. Otherwise the present configuration comes back by itself, even after a restart.',
          { seconds: CONFIRM_SECONDS },
        )}
      </p>
    </Dialog>
  );
}
