/** Configuration that a server needs to see the client's address. Pure. */
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import type { Snippet } from '../check.ts';
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
  if (web.length === 0) return [];
  if (clientAddress === 'none') {
    if (!web.some(({ protocol }) => protocol === 'http')) return [];
    return [
      {
        title: say('nginx: the address of the client from X-Forwarded-For'),
        text: `set_real_ip_from ${applianceAddress};\nreal_ip_header X-Forwarded-For;\n`,
        explanation: say(
          'For plain HTTP only: inside TLS the appliance can add no header. For HTTPS set clientAddress to "proxy-v1" or "proxy-v2".',
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
