/** What is probed of a server: what the configuration leads to it, and nothing else. Pure. */
import type { Config, HostConfig, ListenerConfig } from '../../config/schema.ts';

/** What is expected behind a port. */
export type Expectation = 'http' | 'https' | 'smtps' | 'tls' | 'ssh';

export interface ProbeTarget {
  /** Name of the listener, or "ssh". */
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly expects: Expectation;
  /** Names to ask for, without wildcards; the first is the main one. */
  readonly hostnames: readonly string[];
  readonly clientAddress: HostConfig['clientAddress'];
}

const MAX_HOSTNAMES = 20;
const MAIL_PORTS = new Set([465, 587, 993, 995]);
const SMTP_PORTS = new Set([465, 587]);
const MAIL_LABEL = /^(mail|imap|pop3?|smtp|mx|submission)[0-9]*\./;

/** The ports of a server, in the order of the listeners, SSH last. */
export function planProbes(config: Pick<Config, 'proxy'>, host: HostConfig): ProbeTarget[] {
  const hostnames = concreteHostnames(host).slice(0, MAX_HOSTNAMES);
  const common = { address: host.address, clientAddress: host.clientAddress };
  // Without a name nothing leads through the proxy to it.
  const listeners = host.hostnames.length === 0 ? [] : config.proxy.listeners;
  const targets = listeners
    .filter(({ name }) => host.services.includes(name))
    .map(
      (listener): ProbeTarget => ({
        ...common,
        service: listener.name,
        port: listener.port,
        expects: expectationOf(listener),
        hostnames: MAIL_PORTS.has(listener.port) ? mailNamesFirst(hostnames) : hostnames,
      }),
    );
  if (host.ssh !== false) {
    const { targetPort } = host.ssh;
    // The forwarder sends no PROXY header.
    targets.push({
      ...common,
      service: 'ssh',
      port: targetPort,
      expects: 'ssh',
      hostnames: [],
      clientAddress: 'none',
    });
  }
  return targets;
}

/** The host names that are names: a wildcard is none that one could ask for. */
export const concreteHostnames = ({ hostnames }: Pick<HostConfig, 'hostnames'>): string[] =>
  hostnames.filter((name) => !name.startsWith('*.'));

function expectationOf({ protocol, port, name }: ListenerConfig): Expectation {
  if (protocol === 'http') return 'http';
  if (port === 443 || name === 'https') return 'https';
  return SMTP_PORTS.has(port) ? 'smtps' : 'tls';
}

const mailNamesFirst = (names: readonly string[]): string[] =>
  [...names].sort((a, b) => Number(MAIL_LABEL.test(b)) - Number(MAIL_LABEL.test(a)));
