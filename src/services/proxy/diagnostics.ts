/** The proxy's part of the diagnostics. */
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import type { Expectation, ProbeTarget, ServiceDiagnostics } from '../check.ts';
import { mappedRoute } from './checks/mapped-route.ts';
import { isMapped } from '../mapped.ts';
import { mappedSnippets, nginxSnippets } from './snippets.ts';

const MAX_HOSTNAMES = 20;
const MAIL_PORTS = new Set([465, 587, 993, 995]);
const SMTP_PORTS = new Set([465, 587]);
const MAIL_LABEL = /^(mail|imap|pop3?|smtp|mx|submission)[0-9]*\./;

export const diagnostics: ServiceDiagnostics = {
  checks: [mappedRoute],
  /** In the order of the listeners. The proxy does not route anything to a server without a host name. */
  probes({ proxy }, host) {
    if (host.hostnames.length === 0) return [];
    const hostnames = concreteHostnames(host).slice(0, MAX_HOSTNAMES);
    return proxy.listeners
      .filter(({ name }) => host.services.includes(name))
      .map(
        (listener): ProbeTarget => ({
          service: listener.name,
          address: host.address,
          port: listener.port,
          expects: expectationOf(listener),
          hostnames: MAIL_PORTS.has(listener.port) ? mailNamesFirst(hostnames) : hostnames,
          clientAddress: host.clientAddress,
        }),
      );
  },
  snippets: ({ proxy }, host, applianceAddress) => [
    ...nginxSnippets(host, proxy.listeners, applianceAddress),
    ...(isMapped(host) ? mappedSnippets(proxy, applianceAddress) : []),
  ],
};

/** The host names that can be requested: a wildcard cannot. */
const concreteHostnames = ({ hostnames }: Pick<HostConfig, 'hostnames'>): string[] =>
  hostnames.filter((name) => !name.startsWith('*.'));

function expectationOf({ protocol, port, name }: ListenerConfig): Expectation {
  if (protocol === 'http') return 'http';
  if (port === 443 || name === 'https') return 'https';
  return SMTP_PORTS.has(port) ? 'smtps' : 'tls';
}

const mailNamesFirst = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => Number(MAIL_LABEL.test(b)) - Number(MAIL_LABEL.test(a)));
