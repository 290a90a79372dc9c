import { withDefaults } from '../../../src/config/json-schema.ts';
import { type Nat64Config, Nat64Schema } from '../../../src/config/schema.ts';

/** The NAT64 configuration that an empty file means, with some of it replaced. */
export const defaultNat64 = (changes: Partial<Nat64Config> = {}): Nat64Config => ({
  ...(withDefaults(Nat64Schema, {}) as Nat64Config),
  ...changes,
});
