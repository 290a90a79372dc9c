/** What is due when: one timer for all items, few at the same time, and never two starts at once. */

/** More checks at the same time would cost memory: a TLS connection needs about 50 KB. */
const MOST_AT_ONCE = 32;
/** The least time between two starts: with very many items, the intervals become longer. */
export const GAP_MS = 20;

export interface Schedule<Item> extends Disposable {
  add(item: Item): void;
  /** Forgets what waits and is not in this set. */
  keepOnly(items: ReadonlySet<Item>): void;
}

/** `run` never rejects. An item that should run again is added again. */
export function createSchedule<Item extends { readonly dueMs: number }>(
  monotonicMs: () => number,
  run: (item: Item) => Promise<void>,
): Schedule<Item> {
  /** The most urgent first. */
  const queue: Item[] = [];
  let running = 0;
  let lastStartMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;

  /** Sets the timer for the next start, if there may be one. */
  function setTimer(): void {
    clearTimeout(timer);
    if (queue.length === 0 || running >= MOST_AT_ONCE || isDisposed) return;
    const atMs = Math.max(queue[0].dueMs, lastStartMs + GAP_MS);
    timer = setTimeout(startNext, Math.max(atMs - monotonicMs(), 0)).unref();
  }

  function startNext(): void {
    const nowMs = monotonicMs();
    if (queue.length > 0 && queue[0].dueMs <= nowMs) {
      const item = queue.shift()!;
      lastStartMs = nowMs;
      running++;
      void run(item).finally(() => {
        running--;
        setTimer();
      });
    }
    setTimer();
  }

  return {
    add(item) {
      let [low, high] = [0, queue.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (queue[middle].dueMs <= item.dueMs) low = middle + 1;
        else high = middle;
      }
      queue.splice(low, 0, item);
      if (low === 0) setTimer();
    },
    keepOnly(items) {
      queue.splice(0, queue.length, ...queue.filter((item) => items.has(item)));
      setTimer();
    },
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}
