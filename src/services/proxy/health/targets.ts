/** What is checked: each address of a server that has health checks, at the port of each listener that leads to it. Pure. */
import { addressesOf, isHttps, serviceAt } from '../../../config/host-services.ts';
import type { HealthConfig, HostConfig, ListenerConfig } from '../../../config/schema.ts';
import { askedNames } from '../asked-names.ts';
import type { HealthRules } from './state.ts';

export interface HealthTarget extends HealthRules {
  readonly server: string;
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  readonly clientAddress: HostConfig['clientAddress'];
  /** How far the check goes. A listener for TLS has no plain HTTP, and one for HTTP no handshake. */
  readonly check: HealthConfig['check'];
  readonly isTls: boolean;
  /** For the handshake and for the request. undefined: none is needed. */
  readonly hostname: string | undefined;
  /** The request and what is expected of its answer, if the check goes that far. */
  readonly request: HealthRequest | undefined;
}

export interface HealthRequest {
  /** The field Host. */
  readonly host: string;
  readonly path: string;
  /** "204", "2xx" */
  readonly expect: readonly string[];
}

/** The addresses of a server at one listener: a client goes to one of them. */
export type HealthGroup = readonly HealthTarget[];

type Listener = Pick<ListenerConfig, 'name' | 'port' | 'protocol'>;

/** How far the checks of a server go at a listener. */
function depthAt(listener: Listener, check: HealthConfig['check']): HealthConfig['check'] {
  if (check === 'tcp') return 'tcp';
  if (listener.protocol === 'http') return check === 'http' ? 'http' : 'tcp';
  return check === 'http' && isHttps(listener as ListenerConfig) ? 'http' : 'tls';
}

/** The name that checks ask for at a listener; undefined if there is none, or none is needed. */
export function askedName(host: HostConfig, listener: Listener): string | undefined {
  const { health } = host;
  if (health === false || depthAt(listener, health.check) === 'tcp') return undefined;
  return health.host ?? askedNames(host, listener.port)[0];
}

/** Whether a check at the listener needs a name that the server does not have. */
export function lacksName(host: HostConfig, listener: Listener): boolean {
  const { health } = host;
  if (health === false || serviceAt(host, listener) === undefined) return false;
  return depthAt(listener, health.check) !== 'tcp' && askedName(host, listener) === undefined;
}

/** One that is switched off is not checked; one in maintenance is, so that its state is known when that ends. */
export const planHealth = (
  hosts: readonly HostConfig[],
  listeners: readonly ListenerConfig[],
): HealthGroup[] => hosts.flatMap((host) => listeners.flatMap((listener) => groupOf(host, listener)));

function groupOf(host: HostConfig, listener: ListenerConfig): HealthGroup[] {
  const { health } = host;
  const use = host.enabled ? serviceAt(host, listener) : undefined;
  if (health === false || use === undefined) return [];
  const check = depthAt(listener, health.check);
  const hostname = askedName(host, listener);
  const common = {
    server: host.name,
    listener: listener.name,
    port: use.port,
    clientAddress: use.clientAddress,
    check,
    isTls: listener.protocol === 'tls' && check !== 'tcp',
    hostname,
    request:
      check === 'http' && hostname !== undefined
        ? { host: hostField(hostname, listener), path: health.path, expect: health.expect }
        : undefined,
    intervalMs: health.intervalSeconds * 1000,
    failures: health.failures,
    successes: health.successes,
  };
  return [addressesOf(host).map((address) => ({ ...common, address }))];
}

/** RFC 9110 section 7.2: with the port, if that is not the one of the scheme. Clients see the port of the listener. */
const hostField = (hostname: string, { port, protocol }: Listener): string =>
  port === (protocol === 'http' ? 80 : 443) ? hostname : `${hostname}:${port}`;
