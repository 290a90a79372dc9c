/** A request must not get the result of a run that began before it: a fix made since then would not be in it. */

export interface SharedRun<T> {
  /**
   * A run that begins now. While one is under way: the next one, shared by all requests that come meanwhile. Rejects as `work`
   * does.
   */
  fresh(): Promise<T>;
  /** The run under way, or one that begins now. */
  current(): Promise<T>;
  /** Whether a run is under way, or the next one is requested. */
  readonly isRunning: boolean;
}

/** `work` never runs twice at the same time. */
export function sharedRun<T>(work: () => Promise<T>): SharedRun<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  function start(): Promise<T> {
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  }
  const startNext = () => {
    next = undefined;
    return start();
  };
  return {
    fresh() {
      if (running === undefined) return start();
      return (next ??= running.then(startNext, startNext));
    },
    current: () => running ?? start(),
    get isRunning() {
      return running !== undefined || next !== undefined;
    },
  };
}
