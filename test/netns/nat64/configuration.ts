import { withDefaults } from '../../../src/config/json-schema.ts';
import { type Nat64Config, Nat64Schema } from '../../../src/services/nat64/schema.ts';

/** Differences from an empty file; missing fields of a nested object have their defaults, too. */
export type Nat64Changes = Partial<Omit<Nat64Config, 'pool4' | 'eam'>> & {
  eam?: (Omit<Nat64Config['eam'][number], 'side'> & { side?: 'ipv6' | 'ipv4' })[];
  pool4?: Partial<Nat64Config['pool4'][number]>[];
};

/** The NAT64 configuration of an empty file, with some fields replaced. */
export const defaultNat64 = (changes: Nat64Changes = {}): Nat64Config =>
  withDefaults(Nat64Schema, changes) as Nat64Config;
