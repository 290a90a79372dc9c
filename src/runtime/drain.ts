/** Ending in order: what is open may finish, within a limit. */

/** Resolves when the task has ended, however it ends, or when the signal aborts. */
export async function orAborted(task: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const give = () => resolve();
  signal.addEventListener('abort', give);
  task.then(give, give);
  await promise;
  signal.removeEventListener('abort', give);
}
