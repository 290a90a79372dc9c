/** Starts the driver outside (driver.ts) and gives it its orders. */
import { join } from 'node:path';
import type { Child } from '../../../lab/host.ts';
import type { Act } from './changes.ts';
import type { Order } from './driver.ts';
import type { Network } from './network.ts';

export interface Driver {
  /** Rejects with the failure of the row or scenario. One at a time. `onAct` does what a scenario asks for. */
  perform(order: Order, onAct?: (act: Act) => Promise<void>): Promise<void>;
}

type Message = { readonly ready: true } | { readonly failure: string | null } | { readonly act: Act };

export async function startDriver({ outside }: Pick<Network, 'outside'>): Promise<Driver> {
  const child = outside.spawn(process.execPath, [join(import.meta.dirname, 'driver.ts')], { ipc: true });
  await nextMessage(child);
  return {
    async perform(order, onAct) {
      const send = (message: object) => {
        const answer = nextMessage(child);
        child.process.send(message);
        return answer;
      };
      let message = await send(order);
      while ('act' in message) {
        const { act } = message;
        await onAct?.(act);
        message = await send({ done: act });
      }
      if ('failure' in message && message.failure !== null) throw new Error(message.failure);
    },
  };
}

/** Every wait of a row or scenario is shorter. */
const TIMEOUT_MS = 120_000;

function nextMessage({ process: child, exited, output }: Child): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const timer = setTimeout(() => reject(new Error(`nothing from the driver\n${output()}`)), TIMEOUT_MS);
  child.once('message', (message: Message) => {
    clearTimeout(timer);
    resolve(message);
  });
  void exited.then((how) => reject(new Error(`the driver ended with ${how}\n${output()}`)));
  return promise;
}
