/** A bound on how many tasks run at the same time. */

export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** At most `most` of the tasks run; the others wait in the order of their coming. */
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
      // The place goes on to the next one.
      if (next === undefined) running--;
      else next();
    }
  };
}
