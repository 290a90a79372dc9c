/** The bar of what is not final: a draft to review, or an applied change whose countdown runs. */
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
import { useAction } from '../core/resource.ts';
import { toast, toastError } from '../core/toast.ts';
import { Button } from '../ui/basics.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { CheckField } from '../ui/field.tsx';
import { ErrorBox, ProblemList } from '../ui/problems.tsx';
import { Diff } from './diff.tsx';
import { text } from './text.ts';

export const isReviewing = signal(false);
const seenRollback = signal(sessionStorage.getItem('tombolo-rollback') ?? '');
effect(() => sessionStorage.setItem('tombolo-rollback', seenRollback.value));

export function PendingBar() {
  const words = text.value.pending;
  const waiting = pending.value?.pending;
  const rollback = pending.value?.lastRollback;
  const change = useAction(async (action: () => Promise<void>, done: string) => {
    await action().then(() => toast(done), toastError);
  });
  // Somebody else, or another tab, may apply or confirm.
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) loadPending().catch(() => {});
    }, 10_000);
    return () => clearInterval(timer);
  }, []);

  if (waiting != null) {
    return (
      <section class="pending counting" aria-label={words.label}>
        <p>
          <strong>{words.applied(waiting.by)}</strong>
          <br />
          {words.rollsBack} <Countdown until={waiting.confirmBy} />
        </p>
        <div class="actions">
          <Button isBusy={change.isBusy.value} onClick={() => void change.run(rollBack, words.rolledBack)}>
            {words.rollBack}
          </Button>
          <Button
            kind="primary"
            icon="done"
            isBusy={change.isBusy.value}
            onClick={() => void change.run(confirm, words.kept)}
          >
            {words.keep}
          </Button>
        </div>
      </section>
    );
  }
  if (draft.value !== undefined) {
    const check = draftCheck.value;
    const line =
      check === undefined ? words.checking : check.valid ? words.changes(check.diff.length) : words.invalid;
    return (
      <section class="pending" aria-label={words.label}>
        <p>
          <strong>{line}</strong> {isDraftStale.value && words.stale}
        </p>
        <div class="actions">
          <Button
            onClick={() => {
              discardDraft();
              toast(words.discarded);
            }}
          >
            {words.discard}
          </Button>
          <Button kind="primary" onClick={() => (isReviewing.value = true)}>
            {words.review}
          </Button>
        </div>
        {isReviewing.value && <Review />}
      </section>
    );
  }
  if (rollback != null && rollback.reason !== 'asked' && rollback.at !== seenRollback.value) {
    return (
      <section class="pending" aria-label={words.label}>
        <p>
          <strong>{words.wasRolledBack}:</strong> {rollback.text}
        </p>
        <Button onClick={() => (seenRollback.value = rollback.at)}>{words.dismiss}</Button>
      </section>
    );
  }
  return null;
}

/** Seconds that are left, by this machine's clock from the moment the answer came. */
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
      {text.value.pending.seconds(seconds.value)}
    </span>
  );
}

function Review() {
  const words = text.value.review;
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
    // With a countdown, the bar says it.
    if (confirmSeconds === 0) toast(words.appliedFinal);
  });
  const failing = check?.failedAssertions ?? [];
  const isReady = check?.valid === true && check.diff.length > 0 && (failing.length === 0 || ignores.value);
  return (
    <Dialog
      title={words.title}
      isWide
      onClose={close}
      footer={
        <>
          <Button isDisabled={!isReady} isBusy={isBusy.value} onClick={() => void run(0)}>
            {words.applyNow}
          </Button>
          <Button
            kind="primary"
            isDisabled={!isReady}
            isBusy={isBusy.value}
            onClick={() => void run(CONFIRM_SECONDS)}
          >
            {words.apply}
          </Button>
        </>
      }
    >
      {check?.valid === false && (
        <div class="error-box">
          <p>{words.problems}</p>
          <ProblemList problems={check.problems} />
        </div>
      )}
      {check?.valid === true &&
        (check.diff.length === 0 ? <p>{words.none}</p> : <Diff entries={check.diff} />)}
      {failing.length > 0 && (
        <div class="error-box">
          <p>{words.assertions}</p>
          <ul class="problem-list">
            {failing.map(({ path, name, message }) => (
              <li key={path}>
                <strong>{name}</strong>: {message}
              </li>
            ))}
          </ul>
          <CheckField
            label={words.ignore}
            isChecked={ignores.value}
            onChange={(next) => (ignores.value = next)}
          />
        </div>
      )}
      <ErrorBox error={error.value} />
      <p class="faint">{words.explain(CONFIRM_SECONDS)}</p>
    </Dialog>
  );
}
