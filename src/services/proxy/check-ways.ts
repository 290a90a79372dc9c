/** Whether the ways in of the servers are unambiguous: each host name, and each protocol of it, leads to one server. */
import { isByProtocolOnly, listenersOf } from '../../config/host-services.ts';
import { type ConfigProblem, duplicates, problem } from '../../config/problem.ts';
import type { Config, HostConfig } from '../../config/schema.ts';
import { say } from '../../texts/text.ts';

/** The problems of the ways in of one server. */
export function checkWays({ proxy }: Config, { services }: HostConfig, path: string): ConfigProblem[] {
  const names = proxy.listeners.map(({ name }) => name);
  const placeOf = (i: number) => `${path}/services/${i}${typeof services[i] === 'string' ? '' : '/listener'}`;
  const used = listenersOf({ services });
  const unknown = used.flatMap((listener, i) => {
    if (names.includes(listener)) return [];
    const known =
      names.length === 0
        ? say('no service: proxy.listeners is empty')
        : say('one of {names}', { names: names.join(', ') });
    return [problem(placeOf(i), listener, say('is not the name of a listener'), known)];
  });
  const withoutTls = services.flatMap((service, i) => {
    if (typeof service === 'string' || service.alpn === undefined) return [];
    const listener = proxy.listeners.find(({ name }) => name === service.listener);
    if (listener === undefined || listener.protocol === 'tls') return [];
    const sentence = say('never matches: the listener {listener} does not speak TLS', {
      listener: listener.name,
    });
    return [problem(`${path}/services/${i}/alpn`, service.alpn, sentence, say('no "alpn" here'))];
  });
  const plain = used.flatMap((listener, i) =>
    protocolsOf(services[i]) === undefined ? [{ key: listener, path: placeOf(i) }] : [],
  );
  const protocols = used.flatMap((listener, i) =>
    (protocolsOf(services[i]) ?? []).map((protocol, j) => ({
      key: `${listener} ${protocol}`,
      path: `${path}/services/${i}/alpn/${j}`,
    })),
  );
  return [
    ...unknown,
    ...withoutTls,
    ...duplicates(plain, say('each listener once, or several times with different "alpn"')),
    ...duplicates(protocols, say('each protocol once for a listener')),
  ];
}

type WayIn = HostConfig['services'][number];

const protocolsOf = (service: WayIn): readonly string[] | undefined =>
  typeof service === 'string' ? undefined : service.alpn;

/** Several servers may have a host name, if all but one are such servers, and each protocol of a listener leads to one of them. */
export function checkHostnames(hosts: readonly HostConfig[]): ConfigProblem[] {
  const namesOf = (host: HostConfig, i: number) =>
    host.hostnames.map((name, j) => ({ key: name.toLowerCase(), path: `/hosts/${i}/hostnames/${j}` }));
  const owned = hosts.flatMap((host, i) => (isByProtocolOnly(host) ? [] : namesOf(host, i)));
  const others = hosts.flatMap((host, i) =>
    isByProtocolOnly(host) ? duplicates(namesOf(host, i), say('each host name once')) : [],
  );
  return [
    ...duplicates(owned, say('a host name that leads to one server, or only by "alpn" to the others')),
    ...others,
    ...checkProtocols(hosts),
  ];
}

function checkProtocols(hosts: readonly HostConfig[]): ConfigProblem[] {
  const seen = new Map<string, { readonly host: HostConfig; readonly path: string }>();
  return hosts.flatMap((host, i) =>
    host.services.flatMap((service, at) =>
      (protocolsOf(service) ?? []).flatMap((protocol, j): ConfigProblem[] => {
        const path = `/hosts/${i}/services/${at}/alpn/${j}`;
        const listener = listenersOf({ services: [service] })[0];
        for (const name of host.hostnames) {
          const key = `${name.toLowerCase()} ${listener} ${protocol}`;
          const first = seen.get(key);
          if (first === undefined) seen.set(key, { host, path });
          else if (first.host !== host)
            return [
              problem(
                path,
                protocol,
                say('is already at {first}, for the same host name {name}', { first: first.path, name }),
                say('a protocol that leads to one server'),
              ),
            ];
        }
        return [];
      }),
    ),
  );
}
