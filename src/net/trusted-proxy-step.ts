/** What is explained of clients whose address is that of a trusted proxy. */
import type { Ourselves } from '../os/ourselves.ts';
import type { WayStep } from '../runtime/explain.ts';
import { say } from '../texts/text.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import { parseIpPrefix } from '../wire/ip-prefix.ts';
import { clientAt } from './client.ts';
import { compileTrusted, isTrusted } from './trusted-proxies.ts';

/** A step for a connection from this address that has to begin with a PROXY header; none for all others. */
export function trustedProxySteps(
  trustedProxies: readonly string[],
  ourselves: Ourselves,
  from: string,
): WayStep[] {
  const address = parseIpAddress(from);
  const at = trustedProxies.findIndex((text) => {
    const trusted = compileTrusted([parseIpPrefix(text)!])!;
    return address !== undefined && isTrusted(trusted, clientAt(address), ourselves);
  });
  if (at === -1) return [];
  return [
    {
      isOk: true,
      text: say(
        '{from} is a trusted proxy: its connection must begin with a PROXY header, or it is reset. The client is the one in the header; what follows is for a header without a client.',
        { from },
      ),
      counter: 'refused-proxy-header',
      configPath: `/proxy/trustedProxies/${at}`,
    },
  ];
}
