/**
 * Performs rows and scenarios in the namespace in which it is started (network.ts draws it). Its parent names one after the
 * other over the IPC channel and gets the failure of each, or null.
 */
import { type Variant, performRow } from './play.ts';
import { TABLES } from './rows.ts';
import { SCENARIOS } from './scenarios.ts';

export type Order =
  | { readonly table: keyof typeof TABLES; readonly row: number; readonly variant: Variant }
  | { readonly scenario: keyof typeof SCENARIOS };

const perform = (order: Order): Promise<void> =>
  'scenario' in order
    ? SCENARIOS[order.scenario]()
    : performRow(TABLES[order.table][order.row], order.variant);

process.on('message', (order: Order) => {
  perform(order).then(
    () => process.send?.({ failure: null }),
    (error: Error) => process.send?.({ failure: error.message }),
  );
});
process.send?.({ ready: true });
