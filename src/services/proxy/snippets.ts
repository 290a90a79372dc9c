/** Configuration that a server needs to see the client's address. Pure. */
import type { HostConfig, ListenerConfig, ProxyConfig } from '../../config/schema.ts';
import type { Snippet } from '../check.ts';
import { routeLine, routePrefix } from '../mapped.ts';
import { say } from '../../texts/text.ts';

/** `applianceAddress` is the address from which the appliance connects to the server. */
export function nginxSnippets(
  { address, services, hostnames, clientAddress }: HostConfig,
  listeners: readonly ListenerConfig[],
  applianceAddress: string,
): Snippet[] {
  const used = listeners.filter(({ name }) => hostnames.length > 0 && services.includes(name));
  const web = used.filter(
    ({ protocol, port, name }) => protocol === 'http' || port === 443 || name === 'https',
  );
  if (web.length === 0 || clientAddress === 'mapped') return [];
  if (clientAddress === 'none') {
    if (!web.some(({ protocol }) => protocol === 'http')) return [];
    return [
      {
        title: say('nginx: the address of the client from X-Forwarded-For'),
        text: `set_real_ip_from ${applianceAddress};\nreal_ip_header X-Forwarded-For;\n`,
        explanation: say(
          'For plain HTTP only: inside TLS the appliance can add no header. For HTTPS set clientAddress to "mapped", "proxy-v1" or "proxy-v2".',
        ),
      },
    ];
  }
  const listens = web.map(({ protocol, port }) => {
    const tls = protocol === 'tls' ? ' ssl' : '';
    return `listen [${address}]:${port}${tls} proxy_protocol;\n`;
  });
  return [
    {
      title: say('nginx: the address of the client from the PROXY protocol ({clientAddress})', {
        clientAddress,
      }),
      text: `${listens.join('')}set_real_ip_from ${applianceAddress};\nreal_ip_header proxy_protocol;\n`,
      explanation: say(
        'On these ports nginx then refuses clients that send no PROXY header, among them IPv6 clients that connect directly. Give the server a second address for those, and publish it in its AAAA records.',
      ),
    },
  ];
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
