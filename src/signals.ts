/** Catches signals from the first moment on: a signal that comes before there is a handler is kept, and does not end the process. */

const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type SignalName = (typeof NAMES)[number];

export interface Signals {
  /** Sets the handler. Signals that came before are passed to it in their order. */
  handle(handler: (name: SignalName) => void): void;
}

export function keepSignals(): Signals {
  const waiting: SignalName[] = [];
  let handle = (name: SignalName): void => void waiting.push(name);
  for (const name of NAMES) process.on(name, () => handle(name));
  return {
    handle(handler) {
      handle = handler;
      waiting.splice(0).forEach(handler);
    },
  };
}
