/** What is shown: the first run, the sign-in, or the frame. */
import { useEffect } from 'preact/hooks';
import { configLoad, draft } from './core/config.ts';
import { startLive, stopLive } from './core/live.ts';
import { loadSession, session, sessionProblem } from './core/session.ts';
import { Frame } from './frame/frame.tsx';
import { SignIn } from './frame/sign-in.tsx';
import { isFirstRun } from './first-run/state.ts';
import { FirstRun } from './first-run/lazy.tsx';
import { text } from './frame/text.ts';
import { Button } from './ui/basics.tsx';
import { ErrorBox } from './ui/problems.tsx';
import { text as common } from './ui/text.ts';

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
          <h1>{text.value.noAnswer}</h1>
          <ErrorBox error={sessionProblem.value} />
          <Button kind="primary" icon="refresh" onClick={() => void loadSession()}>
            {common.value.again}
          </Button>
        </div>
      </main>
    );
  }
  if (state === 'unclaimed' || (state === 'signed-in' && isFirstRun.value)) return <FirstRun />;
  if (state === 'signed-out') return <SignIn />;
  return <Frame />;
}
