import { withDefaults } from '../../../src/config/json-schema.ts';
import { type Nat64Config, Nat64Schema } from '../../../src/services/nat64/schema.ts';

/** What differs from an empty file; what is left out of a part of it has its default too. */
export type Nat64Changes = Partial<Omit<Nat64Config, 'pool4' | 'eam'>> & {
  eam?: (Omit<Nat64Config['eam'][number], 'side'> & { side?: 'ipv6' | 'ipv4' })[];
  pool4?: Partial<Nat64Config['pool4'][number]>[];
};

/** The NAT64 configuration that an empty file means, with some of it replaced. */
export const defaultNat64 = (changes: Nat64Changes = {}): Nat64Config =>
  withDefaults(Nat64Schema, changes) as Nat64Config;
