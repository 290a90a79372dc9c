/**
 * What a server's entry says in more than one way: its addresses (one or several), and its `services` (a name of a listener, or
 * an object that also says what differs there).
 */
import type { Config, HostConfig, ListenerConfig, MappedConfig, ProxyConfig } from './schema.ts';

/** How a listener leads to a server. */
export interface ServiceUse {
  /** On the server. */
  readonly port: number;
  readonly clientAddress: HostConfig['clientAddress'];
  /** Only for clients that offer one of these protocols; undefined: for all others. */
  readonly alpn: readonly string[] | undefined;
}

/** The addresses of a server, in the order in which they are tried. */
export const addressesOf = ({ address, addresses }: Pick<HostConfig, 'address' | 'addresses'>): string[] =>
  addresses ?? [address];

/** The listeners that a server names, in its order. */
export const listenersOf = ({ services }: Pick<HostConfig, 'services'>): string[] =>
  services.map((service) => (typeof service === 'string' ? service : service.listener));

/** The ways in of a server at a listener, in its order. Several differ in the protocols that clients offer. */
export function waysAt(
  { services, clientAddress }: Pick<HostConfig, 'services' | 'clientAddress'>,
  { name, port }: Pick<ListenerConfig, 'name' | 'port'>,
): ServiceUse[] {
  return services.flatMap((service): ServiceUse[] => {
    if (service === name) return [{ port, clientAddress, alpn: undefined }];
    if (typeof service === 'string' || service.listener !== name) return [];
    const { targetPort = port, alpn } = service;
    return [{ port: targetPort, clientAddress: service.clientAddress ?? clientAddress, alpn }];
  });
}

/** A server that gets no client but those which offer certain protocols; another one may have the same host names. */
export const isByProtocolOnly = ({ services }: Pick<HostConfig, 'services'>): boolean =>
  services.length > 0 &&
  services.every((service) => typeof service !== 'string' && service.alpn !== undefined);

/** The way in for clients that offer no certain protocol; undefined if the server has none at the listener. */
export const serviceAt = (
  host: Pick<HostConfig, 'services' | 'clientAddress'>,
  listener: Pick<ListenerConfig, 'name' | 'port'>,
): ServiceUse | undefined => waysAt(host, listener).find(({ alpn }) => alpn === undefined);

/** Browsers open the listener for https:// by themselves, or it is called "https". */
export const isHttps = ({ protocol, port, name }: ListenerConfig): boolean =>
  protocol === 'tls' && (port === 443 || name === 'https');

/**
 * The names of the listeners that are open: those that a server names which is not switched off; all of them, if names in DNS
 * lead to servers that are not configured.
 */
export const usedListeners = (
  { listeners, allowedPrefixes }: Pick<ProxyConfig, 'listeners' | 'allowedPrefixes'>,
  hosts: readonly Pick<HostConfig, 'services' | 'enabled'>[],
): Set<string> =>
  new Set(
    allowedPrefixes.length > 0
      ? listeners.map(({ name }) => name)
      : hosts.flatMap((host) => (host.enabled ? listenersOf(host) : [])),
  );

export type AccessLogValue = ProxyConfig['accessLog'];

/** The proxies in front of the appliance, which tell who the client is. */
export const trustedProxiesOf = ({ proxy: { trustedProxies } }: Config): readonly string[] => trustedProxies;

/** What the access log has of a server. `everywhere`: proxy.accessLog. */
export const accessLogOf = (
  { accessLog }: Pick<HostConfig, 'accessLog'>,
  everywhere: AccessLogValue,
): AccessLogValue => accessLog ?? everywhere;

/** Whether the access log has anything. */
export const isAccessLogged = (
  hosts: readonly Pick<HostConfig, 'accessLog'>[],
  everywhere: AccessLogValue,
): boolean => everywhere !== 'off' || hosts.some((host) => accessLogOf(host, everywhere) !== 'off');

/** What it has of everything that no server says otherwise about. */
export const accessLogEverywhere = ({ proxy: { accessLog } }: Config): AccessLogValue => accessLog;

/** The settings of mapped addresses, beside `clientAddress` of each server. */
export const mappedOf = ({ proxy: { mappedPrefix, mappedFallback } }: Config): MappedConfig => ({
  mappedPrefix,
  mappedFallback,
});
