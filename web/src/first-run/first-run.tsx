/** From an appliance that belongs to nobody to a server that is reachable: five steps. */
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Brand, Preferences } from '../frame/frame.tsx';
import { Toasts } from '../frame/toasts.tsx';
import { session } from '../core/session.ts';
import { QuestionDialog } from '../ui/dialog.tsx';
import { Shape } from '../ui/basics.tsx';
import { DoneStep } from './done-step.tsx';
import { NetworkStep } from './network-step.tsx';
import { OutsideStep } from './outside-step.tsx';
import { PasswordStep } from './password-step.tsx';
import { RestoreStep } from './restore-step.tsx';
import { ServerStep } from './server-step.tsx';
import { STEPS, type Step, step } from './state.ts';
import { text } from './text.ts';
import './first-run.css';

const BODIES: Readonly<Record<Step, ComponentType>> = {
  password: PasswordStep,
  restore: RestoreStep,
  network: NetworkStep,
  server: ServerStep,
  outside: OutsideStep,
  done: DoneStep,
};

export function FirstRunPage() {
  const words = text.value;
  const current: Step = session.value?.state === 'unclaimed' ? 'password' : (step.value ?? 'network');
  const at = STEPS.indexOf(current);
  const Body = BODIES[current];
  document.title = `${words.title} · Tombolo`;
  useEffect(() => {
    if (current !== 'password') document.querySelector('h1')?.focus();
    scrollTo(0, 0);
  }, [current]);
  return (
    <main class="alone">
      <Brand />
      <div class={`alone-card first-run${current === 'password' ? '' : ' wide'}`}>
        {at >= 0 && (
          <ol class="progress" aria-label={words.step(at + 1, STEPS.length)}>
            {STEPS.map((each, index) => (
              <li
                key={each}
                aria-current={index === at ? 'step' : undefined}
                class={index < at ? 'is-done' : undefined}
              >
                {index < at ? <Shape tone="ok" /> : <span class="progress-number">{index + 1}</span>}
                <span class="progress-name">{words.steps[each]}</span>
              </li>
            ))}
          </ol>
        )}
        <div class="stack">
          <div>
            <p class="faint">{at >= 0 && words.step(at + 1, STEPS.length)}</p>
            <h1 tabIndex={-1}>
              {current === 'done'
                ? words.done.title
                : current === 'password'
                  ? words.title
                  : words.steps[current]}
            </h1>
          </div>
          <Body />
        </div>
      </div>
      {current === 'password' && <Preferences />}
      <QuestionDialog />
      <Toasts />
    </main>
  );
}
