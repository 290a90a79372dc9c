/** Configuration that a server needs to see the client's address. Pure. */
import { addressesOf, isHttps, serviceAt } from '../../config/host-services.ts';
import type { HostConfig, ListenerConfig, ProxyConfig } from '../../config/schema.ts';
import type { Snippet } from '../check.ts';
import { routeLine, routePrefix } from '../mapped.ts';
import { say } from '../../texts/text.ts';

/** `applianceAddress` is the address from which the appliance connects to the server. */
export function nginxSnippets(
  host: HostConfig,
  listeners: readonly ListenerConfig[],
  applianceAddress: string,
): Snippet[] {
  if (host.hostnames.length === 0) return [];
  const web = listeners.flatMap((listener) => {
    const use = listener.protocol === 'http' || isHttps(listener) ? serviceAt(host, listener) : undefined;
    return use === undefined ? [] : [{ ...use, protocol: listener.protocol }];
  });
  const withoutHeader = web.some(
    ({ clientAddress, protocol }) => clientAddress === 'none' && protocol === 'http',
  );
  const found: Snippet[] = [];
  if (withoutHeader)
    found.push({
      title: say('nginx: the address of the client from X-Forwarded-For'),
      text: `set_real_ip_from ${applianceAddress};\nreal_ip_header X-Forwarded-For;\n`,
      explanation: say(
        'For plain HTTP only: inside TLS the appliance can add no header. For HTTPS set clientAddress to "mapped", "proxy-v1" or "proxy-v2".',
      ),
    });
  const withHeader = web.filter(
    ({ clientAddress }) => clientAddress === 'proxy-v1' || clientAddress === 'proxy-v2',
  );
  if (withHeader.length === 0) return found;
  const listens = withHeader.flatMap(({ protocol, port }) => {
    const tls = protocol === 'tls' ? ' ssl' : '';
    return addressesOf(host).map((address) => `listen [${address}]:${port}${tls} proxy_protocol;\n`);
  });
  const modes = [...new Set(withHeader.map(({ clientAddress }) => clientAddress))].join(', ');
  found.push({
    title: say('nginx: the address of the client from the PROXY protocol ({clientAddress})', {
      clientAddress: modes,
    }),
    text: `${listens.join('')}set_real_ip_from ${applianceAddress};\nreal_ip_header proxy_protocol;\n`,
    explanation: say(
      'On these ports nginx then refuses clients that send no PROXY header, among them IPv6 clients that connect directly. Give the server a second address for those, and publish it in its AAAA records.',
    ),
  });
  return found;
}

/** The route that a server with clientAddress "mapped" needs. `applianceAddress` as above. */
export function mappedSnippets(proxy: ProxyConfig, applianceAddress: string): Snippet[] {
  return [
    {
      title: say('The route for mapped addresses, until the next start of the server'),
      text: `${routeLine(proxy, applianceAddress)}\n`,
      explanation: say(
        'The answers of the server to its clients go through the appliance. If the server is not on a network of the appliance, the routers between need the route as well. Not needed if the default route of the server leads to the appliance.',
      ),
    },
    {
      title: say('The same for good, with systemd-networkd'),
      text: `[Route]\nDestination=${routePrefix(proxy)}\nGateway=${applianceAddress}\n`,
      explanation: say(
        'In the .network file of the interface, below /etc/systemd/network/. The programs of the server then log clients as {prefix}: the last 32 bits are the IPv4 address in hexadecimal. 203.0.113.9 is cb00:7109.',
        { prefix: proxy.mappedPrefix },
      ),
    },
  ];
}
