/** What NAT64 needs to know about its machine. */
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

/** The state of the machine, as far as the translator needs it. */
export interface Machine {
  /** The addresses that the kernel delivers to the appliance itself. */
  readonly own: readonly IpPrefix[];
  readonly routes6: readonly Ipv6Route[];
  /** The address for "auto" in pool4; undefined if there is none. */
  readonly automatic: AutomaticAddress | undefined;
  /** The networks for "lan", and the machine's own global IPv6 addresses, including recently seen ones (os/seen.ts). */
  readonly attached: Seen;
  readonly own6: Seen;
}

/** Reads the state; routes only in stateless mode. `before`: the previous state. `nowMs`: from a clock that is never set. */
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
