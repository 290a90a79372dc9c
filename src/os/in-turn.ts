/**
 * Tasks that must not overlap. Each task starts when all earlier tasks have ended, successfully or not. The returned promise is
 * that of the task itself.
 */
export type InTurn = <T>(task: () => T | Promise<T>) => Promise<T>;

/** Make one queue for each resource that only one task at a time may touch. */
export function createInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  };
}
