/** The session: an unclaimed appliance, a signed-out user, or a signed-in user. */
import { effect, signal } from '@preact/signals';
import { api, csrfToken, signedOutCount } from './api.ts';
import type { SessionAnswer } from './contract.ts';

/** Undefined until the API has responded for the first time. */
export const session = signal<SessionAnswer | undefined>(undefined);
export const sessionProblem = signal<unknown>(undefined);

/** Loads the session from the API. Never rejects. */
export async function loadSession(): Promise<void> {
  try {
    take(await api.get<SessionAnswer>('session'));
  } catch (error) {
    sessionProblem.value = error;
  }
}

function take(next: SessionAnswer): void {
  csrfToken.value = next.csrfToken;
  sessionProblem.value = undefined;
  session.value = next;
}

/** Each throws ApiProblem. */
export async function claim(password: string): Promise<void> {
  await api.post('first-run', { password });
  await loadSession();
}
export async function signIn(password: string, code: string | undefined): Promise<void> {
  await api.post('session', code === undefined ? { password } : { password, code });
  await loadSession();
}
export async function signOut(): Promise<void> {
  await api.delete('session');
  // Load the page again, so that no earlier data stays in memory.
  location.assign('/');
}

// A session that was ended elsewhere, or has expired: any request may report it.
effect(() => {
  if (signedOutCount.value > 0) void loadSession();
});
