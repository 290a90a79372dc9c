/** The proxy's part of the diagnostics. */
import { addressesOf, isHttps, serviceAt } from '../../config/host-services.ts';
import type { ListenerConfig } from '../../config/schema.ts';
import type { Expectation, ProbeTarget, ServiceDiagnostics } from '../check.ts';
import { isMapped } from '../mapped.ts';
import { askedNames } from './asked-names.ts';
import { addressHealth } from './checks/address-health.ts';
import { mappedRoute } from './checks/mapped-route.ts';
import { coalescing } from './coalescing.ts';
import { mappedSnippets, nginxSnippets } from './snippets.ts';

const MAX_HOSTNAMES = 20;
const SMTP_PORTS = new Set([465, 587]);

export const diagnostics: ServiceDiagnostics = {
  checks: [addressHealth, mappedRoute, coalescing],
  /** In the order of the listeners. The proxy does not route anything to a server without a host name. */
  probes({ proxy }, host) {
    if (!host.enabled || host.hostnames.length === 0) return [];
    return proxy.listeners.flatMap((listener): ProbeTarget[] => {
      const use = serviceAt(host, listener);
      if (use === undefined) return [];
      return addressesOf(host).map((address) => ({
        service: listener.name,
        address,
        port: use.port,
        expects: expectationOf(listener),
        hostnames: askedNames(host, listener.port).slice(0, MAX_HOSTNAMES),
        clientAddress: use.clientAddress,
      }));
    });
  },
  snippets: ({ proxy }, host, applianceAddress) => [
    ...nginxSnippets(host, proxy.listeners, applianceAddress),
    ...(isMapped(host) ? mappedSnippets(proxy, applianceAddress) : []),
  ],
};

function expectationOf(listener: ListenerConfig): Expectation {
  const { protocol, port } = listener;
  if (protocol === 'http') return 'http';
  if (isHttps(listener)) return 'https';
  return SMTP_PORTS.has(port) ? 'smtps' : 'tls';
}
