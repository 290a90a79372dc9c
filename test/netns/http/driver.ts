/**
 * Performs rows and scenarios in the namespace in which it is started (network.ts draws it). Its parent names one after the
 * other over the IPC channel and gets the failure of each, or null. A scenario may ask the parent for an act meanwhile.
 */
import { type Act, CHANGES } from './changes.ts';
import { type Variant, performRow } from './play.ts';
import { TABLES } from './rows.ts';
import { PROXY_SCENARIOS, SCENARIOS } from './scenarios.ts';
import type { WebServer } from './servers.ts';
import { TAPPED, performPuts, performTapped } from './tap.ts';

export type Order =
  | { readonly table: keyof typeof TABLES; readonly row: number; readonly variant: Variant }
  | { readonly scenario: string }
  /** A row of TAPPED. */
  | { readonly tapped: number; readonly server: WebServer }
  | { readonly putsTo: WebServer; readonly keepsMs: number }
  | { readonly change: string };
/** From the parent. */
export type Message = Order | { readonly done: Act };

async function perform(order: Order): Promise<void> {
  if ('change' in order) return CHANGES[order.change](askParent);
  if ('tapped' in order) return performTapped(TAPPED[order.tapped], order.server);
  if ('putsTo' in order) return performPuts(order.putsTo, order.keepsMs);
  if ('scenario' in order) return { ...SCENARIOS, ...PROXY_SCENARIOS }[order.scenario]();
  return performRow(TABLES[order.table][order.row], order.variant);
}

let isDone = () => {};
function askParent(act: Act): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  isDone = resolve;
  process.send?.({ act });
  return promise;
}

process.on('message', (message: Message) => {
  if ('done' in message) return isDone();
  perform(message).then(
    () => process.send?.({ failure: null }),
    (error: Error) => process.send?.({ failure: error.message }),
  );
});
process.send?.({ ready: true });
