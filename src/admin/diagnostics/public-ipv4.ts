/** The address under which the Internet reaches the appliance, as far as it can be known from inside. Pure. */
import { formatIpv4, parseIpv4 } from '../../wire/ip-address.ts';
import { isNeverRouted, isPrivate } from '../../wire/ipv4-scope.ts';
import type { PublicIpv4 } from '../contract/checks.ts';

/**
 * `defaultSource` is the address that the default route uses (unsigned); `addresses` are all own ones as text. An own
 * public address is the one; else it is what the router said it has (`ofRouter`, unsigned), if it did.
 */
export function publicIpv4(
  defaultSource: number | undefined,
  addresses: readonly string[],
  ofRouter: number | undefined,
): PublicIpv4 {
  const own = addresses.flatMap((text) => parseIpv4(text) ?? []).filter((address) => !isNeverRouted(address));
  const ordered = defaultSource === undefined ? own : [defaultSource, ...own];
  const global = ordered.find((address) => !isPrivate(address));
  if (global !== undefined) {
    const address = formatIpv4(global);
    return { address, kind: 'own', text: `The appliance has the public address ${address} itself.` };
  }
  const [local] = ordered;
  if (local === undefined) return { address: null, kind: 'none', text: 'The appliance has no IPv4 address.' };
  const behind = `The appliance is behind NAT: its own address ${formatIpv4(local)} is private.`;
  if (ofRouter !== undefined && (isPrivate(ofRouter) || isNeverRouted(ofRouter))) {
    return {
      address: null,
      kind: 'cgnat',
      text: `${behind} The router's own address ${formatIpv4(ofRouter)} is private, too: nobody can come in from the Internet.`,
    };
  }
  if (ofRouter !== undefined) {
    const address = formatIpv4(ofRouter);
    return {
      address,
      kind: 'nat',
      text: `${behind} The public address is that of your router, which says ${address}.`,
    };
  }
  return {
    address: null,
    kind: 'nat',
    text: `${behind} The public address is that of your router, which does not tell us; its status page shows it.`,
  };
}
