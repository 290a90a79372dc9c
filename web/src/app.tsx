/** What is shown: the first run, the sign-in, or the frame. */
import { useEffect } from 'preact/hooks';
import { configLoad, draft } from './core/config.ts';
import { startLive, stopLive } from './core/live.ts';
import { text } from './core/locale.ts';
import { loadSession, session, sessionProblem } from './core/session.ts';
import { Frame } from './frame/frame.tsx';
import { SignIn } from './frame/sign-in.tsx';
import { isFirstRun } from './first-run/state.ts';
import { FirstRun } from './first-run/lazy.tsx';
import { Button } from './ui/basics.tsx';
import { ErrorBox } from './ui/problems.tsx';

export function App() {
  const state = session.value?.state;
  useEffect(() => {
    if (state !== 'signed-in') {
      stopLive();
      if (state === 'signed-out') draft.value = undefined;
      return;
    }
    startLive();
    void configLoad.reload();
  }, [state]);
  if (state === undefined) {
    if (sessionProblem.value === undefined) return null;
    return (
      <main class="alone">
        <div class="alone-card stack">
          <h1>{text('The appliance does not answer.')}</h1>
          <ErrorBox error={sessionProblem.value} />
          <Button kind="primary" icon="refresh" onClick={() => void loadSession()}>
            {text('Try again')}
          </Button>
        </div>
      </main>
    );
  }
  if (state === 'unclaimed' || (state === 'signed-in' && isFirstRun.value)) return <FirstRun />;
  if (state === 'signed-out') return <SignIn />;
  return <Frame />;
}
