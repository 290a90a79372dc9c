/** Signals are taken from the first moment on: one that comes before somebody can obey it is kept, and ends nothing. */

const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type SignalName = (typeof NAMES)[number];

export interface Signals {
  /** Who obeys from now on; also what came before, in its order. */
  obey(handler: (name: SignalName) => void): void;
}

export function keepSignals(): Signals {
  const waiting: SignalName[] = [];
  let handle = (name: SignalName): void => void waiting.push(name);
  for (const name of NAMES) process.on(name, () => handle(name));
  return {
    obey(handler) {
      handle = handler;
      waiting.splice(0).forEach(handler);
    },
  };
}
