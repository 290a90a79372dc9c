/** A bound on how many tasks run at the same time. */

export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** At most `most` of the tasks run at once; the others wait in order of arrival. */
export function createLimit(most: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      // The slot passes to the next task.
      if (next === undefined) running--;
      else next();
    }
  };
}
