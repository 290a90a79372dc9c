/** The address at which the Internet reaches the appliance, as far as it can be found from inside. Pure. */
import { formatIpv4, parseIpv4 } from '../../wire/ip-address.ts';
import { isNeverRouted, isNonGlobal } from '../../wire/ipv4-scope.ts';
import type { PublicIpv4Found } from './found.ts';
import { say } from '../../texts/text.ts';

/**
 * `defaultSource` is the address that the default route uses (unsigned); `addresses` are all own ones as text. An own public
 * address is preferred; otherwise the router's address is used (`ofRouter`, unsigned), if it reported one.
 */
export function publicIpv4(
  defaultSource: number | undefined,
  addresses: readonly string[],
  ofRouter: number | undefined,
): PublicIpv4Found {
  const own = addresses.flatMap((text) => parseIpv4(text) ?? []).filter((address) => !isNeverRouted(address));
  const ordered = defaultSource === undefined ? own : [defaultSource, ...own];
  const global = ordered.find((address) => !isNonGlobal(address));
  if (global !== undefined) {
    const address = formatIpv4(global);
    return {
      address,
      kind: 'own',
      text: say('The appliance has the public address {address} itself.', { address }),
    };
  }
  const [local] = ordered;
  if (local === undefined)
    return { address: null, kind: 'none', text: say('The appliance has no IPv4 address.') };
  const behind = say('The appliance is behind NAT: its own address {own} is private.', {
    own: formatIpv4(local),
  });
  if (ofRouter !== undefined && (isNonGlobal(ofRouter) || isNeverRouted(ofRouter))) {
    return {
      address: null,
      kind: 'cgnat',
      text: say(
        "{behind} The router's own address {own} is private, too: nobody can come in from the Internet.",
        { behind, own: formatIpv4(ofRouter) },
      ),
    };
  }
  if (ofRouter !== undefined) {
    const address = formatIpv4(ofRouter);
    return {
      address,
      kind: 'nat',
      text: say('{behind} The public address is that of your router, which says {address}.', {
        behind,
        address,
      }),
    };
  }
  return {
    address: null,
    kind: 'nat',
    text: say(
      '{behind} The public address is that of your router, which does not tell us; its status page shows it.',
      { behind },
    ),
  };
}
