/** Starts the driver outside (driver.ts) and gives it its orders. */
import { join } from 'node:path';
import type { Child } from '../../../lab/host.ts';
import type { Order } from './driver.ts';
import type { Network } from './network.ts';

export interface Driver {
  /** Rejects with the failure of the row or scenario. One at a time. */
  perform(order: Order): Promise<void>;
}

type Message = { readonly ready: true } | { readonly failure: string | null };

export async function startDriver({ outside }: Pick<Network, 'outside'>): Promise<Driver> {
  const child = outside.spawn(process.execPath, [join(import.meta.dirname, 'driver.ts')], { ipc: true });
  await nextMessage(child);
  return {
    async perform(order) {
      const answer = nextMessage(child);
      child.process.send(order);
      const message = await answer;
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
