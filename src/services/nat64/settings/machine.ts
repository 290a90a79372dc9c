/** What NAT64 has to know of its machine. */
import type { Nat64Config } from '../../../config/schema.ts';
import { attachedPrefixes } from '../../../os/interfaces.ts';
import { readOwn } from '../../../os/follow-ourselves.ts';
import { type Seen, followSeen } from '../../../os/seen.ts';
import {
  type Ipv6Route,
  defaultSourceIpv4,
  globalIpv4Addresses,
  globalIpv6Addresses,
  ipv6Routes,
} from '../../../os/routes.ts';
import { type IpPrefix, formatIpPrefix } from '../../../wire/ip-prefix.ts';
import { type AutomaticAddress, followAutomatic } from './outage.ts';

/** What the machine says of itself, as far as the translator must know it. */
export interface Machine {
  /** What the kernel delivers to the appliance itself. */
  readonly own: readonly IpPrefix[];
  readonly routes6: readonly Ipv6Route[];
  /** What "auto" stands for in pool4; undefined when there is nothing. */
  readonly automatic: AutomaticAddress | undefined;
  /** Networks that "lan" stands for, and the machine's own global IPv6 addresses; those of a moment ago too (os/seen.ts). */
  readonly attached: Seen;
  readonly own6: Seen;
}

/** Only stateless mode asks for routes. `before`: what it said last, `nowMs`: of a clock that is never set. */
export async function readMachine(
  { mode }: Nat64Config,
  before?: Machine,
  nowMs = performance.now(),
): Promise<Machine> {
  const routes6 = mode === 'stateless' ? await ipv6Routes() : [];
  const [only, ...others] = globalIpv4Addresses();
  return {
    own: readOwn(),
    routes6,
    automatic: followAutomatic(
      defaultSourceIpv4(),
      others.length === 0 ? only : undefined,
      before?.automatic,
      nowMs,
    ),
    attached: followSeen(attachedPrefixes().map(formatIpPrefix), before?.attached ?? new Map(), nowMs),
    own6: followSeen(globalIpv6Addresses(), before?.own6 ?? new Map(), nowMs),
  };
}
