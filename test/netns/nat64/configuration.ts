import { Value } from 'typebox/value';
import { type Nat64Config, Nat64Schema } from '../../../src/config/schema.ts';

/** The NAT64 configuration that an empty file means, with some of it replaced. */
export const defaultNat64 = (changes: Partial<Nat64Config> = {}): Nat64Config =>
  ({ ...(Value.Default(Nat64Schema, {}) as Nat64Config), ...changes }) satisfies Nat64Config;
