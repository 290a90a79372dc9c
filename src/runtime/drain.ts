/** Orderly shutdown: open work may finish, within a time limit. */

/** Resolves when the task has ended (with success or failure), or when the signal aborts. */
export async function orAborted(task: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const give = () => resolve();
  signal.addEventListener('abort', give);
  task.then(give, give);
  await promise;
  signal.removeEventListener('abort', give);
}
