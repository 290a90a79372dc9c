/** The proxy's part of the diagnostics. */
import { addressesOf, isHttps, serviceAt } from '../../config/host-services.ts';
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import type { Expectation, ProbeTarget, ServiceDiagnostics } from '../check.ts';
import { isMapped } from '../mapped.ts';
import { mappedRoute } from './checks/mapped-route.ts';
import { names } from './checks/names.ts';
import { coalescing } from './coalescing.ts';
import { mappedSnippets, nginxSnippets } from './snippets.ts';

const MAX_HOSTNAMES = 20;
const MAIL_PORTS = new Set([465, 587, 993, 995]);
const SMTP_PORTS = new Set([465, 587]);
const MAIL_LABEL = /^(mail|imap|pop3?|smtp|mx|submission)[0-9]*\./;

export const diagnostics: ServiceDiagnostics = {
  checks: [mappedRoute, names, coalescing],
  /** In the order of the listeners. The proxy does not route anything to a server without a host name. */
  probes({ proxy }, host) {
    if (!host.enabled || host.hostnames.length === 0) return [];
    const hostnames = concreteHostnames(host).slice(0, MAX_HOSTNAMES);
    return proxy.listeners.flatMap((listener): ProbeTarget[] => {
      const use = serviceAt(host, listener);
      if (use === undefined) return [];
      return addressesOf(host).map((address) => ({
        service: listener.name,
        address,
        port: use.port,
        expects: expectationOf(listener),
        hostnames: MAIL_PORTS.has(listener.port) ? mailNamesFirst(hostnames) : hostnames,
        clientAddress: use.clientAddress,
      }));
    });
  },
  snippets: ({ proxy }, host, applianceAddress) => [
    ...nginxSnippets(host, proxy.listeners, applianceAddress),
    ...(isMapped(host) ? mappedSnippets(proxy, applianceAddress) : []),
  ],
};

/** The host names that can be requested: a wildcard cannot. */
const concreteHostnames = ({ hostnames }: Pick<HostConfig, 'hostnames'>): string[] =>
  hostnames.filter((name) => !name.startsWith('*'));

function expectationOf(listener: ListenerConfig): Expectation {
  const { protocol, port } = listener;
  if (protocol === 'http') return 'http';
  if (isHttps(listener)) return 'https';
  return SMTP_PORTS.has(port) ? 'smtps' : 'tls';
}

const mailNamesFirst = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => Number(MAIL_LABEL.test(b)) - Number(MAIL_LABEL.test(a)));
