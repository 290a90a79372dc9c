/** Five steps, from an unclaimed appliance to a server that is reachable. */
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Brand, Preferences } from '../frame/frame.tsx';
import { Toasts } from '../frame/toasts.tsx';
import { say, text } from '../core/locale.ts';
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
import './first-run.css';

const STEP_TITLES = {
  password: say('Password'),
  network: say('Network'),
  server: say('First server'),
  outside: say('Router and DNS'),
  done: say('Done'),
  restore: say('Restore'),
};

const BODIES: Readonly<Record<Step, ComponentType>> = {
  password: PasswordStep,
  restore: RestoreStep,
  network: NetworkStep,
  server: ServerStep,
  outside: OutsideStep,
  done: DoneStep,
};

export function FirstRunPage() {
  const current: Step = session.value?.state === 'unclaimed' ? 'password' : (step.value ?? 'network');
  const at = STEPS.indexOf(current);
  const Body = BODIES[current];
  document.title = `${text('Set up Tombolo')} · Tombolo`;
  useEffect(() => {
    if (current !== 'password') document.querySelector('h1')?.focus();
    scrollTo(0, 0);
  }, [current]);
  return (
    <main class="alone">
      <Brand />
      <div class={`alone-card first-run${current === 'password' ? '' : ' wide'}`}>
        {at >= 0 && (
          <ol class="progress" aria-label={text('Step {at} of {of}', { at: at + 1, of: STEPS.length })}>
            {STEPS.map((each, index) => (
              <li
                key={each}
                aria-current={index === at ? 'step' : undefined}
                class={index < at ? 'is-done' : undefined}
              >
                {index < at ? <Shape tone="ok" /> : <span class="progress-number">{index + 1}</span>}
                <span class="progress-name">{text(STEP_TITLES[each])}</span>
              </li>
            ))}
          </ol>
        )}
        <div class="stack">
          <div>
            <p class="faint">{at >= 0 && text('Step {at} of {of}', { at: at + 1, of: STEPS.length })}</p>
            <h1 tabIndex={-1}>
              {current === 'done'
                ? text('It is set up')
                : current === 'password'
                  ? text('Set up Tombolo')
                  : text(STEP_TITLES[current])}
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
