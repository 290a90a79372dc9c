/** What the proxy does with a connection: finds the listener by its port, then looks in the data plane's host table. */
import { addressesOf, listenersOf } from '../../config/host-services.ts';
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import { dialledAddress, endsAtOurselves, listensFor, severalAddresses } from '../../net/listening.ts';
import { trustedProxySteps } from '../../net/trusted-proxy-step.ts';
import { attachedPrefixes } from '../../os/interfaces.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import { decodeSocketAddress } from '../../os/socket-address.ts';
import type { HealthByServer } from '../../runtime/address-health.ts';
import {
  type Flow,
  type LastLeg,
  type Leg,
  type WayStep,
  arrives,
  endsHere,
  endsRefused,
} from '../../runtime/explain.ts';
import { createMessageHead, hostText } from '../../wire/http1/head.ts';
import { parseRequest } from '../../wire/http1/request.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { type MappedConfig, whatServerSees } from '../mapped.ts';
import type { ProxyCounterIndex } from './counters.ts';
import { type Refused, decide, locationOf } from './decide.ts';
import { failingSteps, passing } from './health/explain.ts';
import {
  type Backend,
  type Destination,
  type Redirect,
  buildHostTable,
  findDestination,
} from './host-table.ts';
import { offeredOf } from './offered.ts';
import { type NameNow, explainLearned, explainNotLearned, lookUpNow, onlyThis } from './explain-names.ts';
import { type ProxyOptions, planProxy } from './service.ts';
import type { ProxyWorkerConfig } from './worker.ts';
import { type Text, asIs, listOf, say, sentences } from '../../texts/text.ts';

const NOT_TOLD = say('The server sees the address of this appliance, not that of the client.');

/** What the server learns of a client with this address. */
const TOLD: Record<HostConfig['clientAddress'], (mapped: MappedConfig, from: string) => Text> = {
  none: () => NOT_TOLD,
  'proxy-v1': () => say("A PROXY header (version 1) tells the server the client's address."),
  'proxy-v2': () => say("A PROXY header (version 2) tells the server the client's address."),
  mapped: whatServerSees,
};

/** undefined when the connection does not go to the port of a listener. `health`: what the health checks find now. */
export async function explainProxy(
  options: ProxyOptions,
  ourselves: Ourselves,
  flow: Flow,
  health: HealthByServer = {},
): Promise<Leg | undefined> {
  const { port, protocol } = flow;
  const position = options.proxy.listeners.findIndex((listener) => listener.port === port);
  if (!flow.isLocal || protocol !== 'tcp' || position === -1) return undefined;
  const listener = options.proxy.listeners[position];
  const configPath = `/proxy/listeners/${position}`;
  const { config, listen } = planProxy(options, attachedPrefixes());
  if (!listen.some(({ name }) => name === listener.name)) {
    const text = say('The listener {name} (port {port}) is closed: no server names it in its services.', {
      name: listener.name,
      port: listener.port,
    });
    return endsRefused([], text, { configPath });
  }
  if (!listensFor(options.proxy.listen, flow)) {
    const text = say('The listener {name} (port {port}) listens only on {addresses}.', {
      name: listener.name,
      port: listener.port,
      addresses: options.proxy.listen.join(', '),
    });
    return endsRefused([], text, { configPath: '/proxy/listen' });
  }
  const { what, asks } = PROTOCOLS[listener.protocol];
  const steps = [
    {
      isOk: true,
      text: say('The listener {name} has port {port}: {what}.', {
        name: listener.name,
        port: listener.port,
        what,
      }),
      configPath,
    },
    ...trustedProxySteps(config.trustedProxies, ourselves, flow.from),
  ];
  const asked = asks(flow);
  if ('leg' in asked) return { ...asked.leg, steps: [...steps, ...asked.leg.steps] };
  const { from: client, alpn = [] } = flow;
  const question = { config, ourselves, health, listener, client, name: asked.name, alpn, steps };
  return explainName(question, await askedNow(options, question));
}

/** A name of undefined: the client names none. */
type Asked = { readonly name: string | undefined } | { readonly leg: LastLeg };

/** The Host of a request, parsed as in the proxy. */
function hostOf({ name, to = '', port }: Flow): Asked {
  const host = name ?? (to.includes(':') ? `[${to}]` : to);
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`, 'latin1');
  const head = createMessageHead();
  if (parseRequest(head, bytes, 0, bytes.length) > 0) return { name: hostText(head, bytes) };
  const { kind, reason } = head.fault!;
  return { leg: endsRefused([], listOf([asIs(reason), '.'], ''), { counter: `refused-http-${kind}` }) };
}

type Counter = keyof ProxyCounterIndex;

interface ProtocolWords {
  readonly what: Text;
  /** The name that a client asks for. */
  readonly asks: (flow: Flow) => Asked;
  /** The path of a request; undefined if the protocol has none. */
  readonly target: string | undefined;
  /** The counter of what is let through, and those of the refusals. */
  readonly routed: Counter;
  readonly refused: Readonly<Record<Refused['refused'], Counter>>;
}

const PROTOCOLS: Readonly<Record<ListenerConfig['protocol'], ProtocolWords>> = {
  http: {
    what: say('HTTP by Host'),
    asks: hostOf,
    target: '/',
    routed: 'http-routed',
    refused: {
      'no-name': 'refused-http-no-host',
      'unknown-name': 'refused-http-unknown-host',
      'no-address': 'refused-http-no-address',
      'no-lookup': 'refused-http-no-lookup',
      'lookup-share': 'refused-http-lookup-share',
      'not-allowed': 'refused-http-not-allowed',
      maintenance: 'refused-http-maintenance',
      redirect: 'http-redirected',
    },
  },
  tls: {
    what: say('TLS by server name'),
    // RFC 6066 section 3: a client that connects to an address sends no server name.
    asks: ({ name }) => ({ name }),
    target: undefined,
    routed: 'tls-routed',
    refused: {
      'no-name': 'refused-tls-no-name',
      'unknown-name': 'refused-tls-unknown-name',
      'no-address': 'refused-tls-no-address',
      'no-lookup': 'refused-tls-no-lookup',
      'lookup-share': 'refused-tls-lookup-share',
      'not-allowed': 'refused-tls-not-allowed',
      maintenance: 'refused-tls-maintenance',
      redirect: 'http-redirected',
    },
  },
};

interface Question {
  readonly config: ProxyWorkerConfig;
  readonly ourselves: Ourselves;
  readonly health: HealthByServer;
  readonly listener: ListenerConfig;
  readonly client: string;
  readonly name: string | undefined;
  /** The protocols that it offers. */
  readonly alpn: readonly string[];
  readonly steps: readonly WayStep[];
}

/** The AAAA records of a name that no server has; undefined if it is not looked up. */
async function askedNow(
  { names, proxy }: ProxyOptions,
  { config, ourselves, listener, name }: Question,
): Promise<NameNow | undefined> {
  const table = buildHostTable(config.hosts, listener, config);
  if (name === undefined || findDestination(table, name) !== undefined) return undefined;
  return lookUpNow({ names, prefixes: proxy.allowedPrefixes }, ourselves, name, listener.port);
}

function explainName(question: Question, now: NameNow | undefined): Leg {
  const { config, ourselves, health, listener, client, name, alpn, steps } = question;
  const { hosts } = config;
  const { routed, target } = PROTOCOLS[listener.protocol];
  const names = now === undefined ? null : onlyThis(now);
  const table = buildHostTable(hosts, listener, { ...config, names });
  const found = decide(table, name, parseIpAddress(client), target, offeredOf(alpn));
  if (found.refused === 'not-asked') throw new Error(`explainName: "${name}" was not looked up`);
  if (found.refused === 'no-address' || found.refused === 'no-lookup') {
    const counter = PROTOCOLS[listener.protocol].refused[found.refused];
    return explainNotLearned(steps, now!, name!, found.refused, counter);
  }
  if (found.refused !== null) return explainRefusal(question, found);
  if (found.origin !== null) {
    const told = { isOk: true, text: NOT_TOLD };
    return explainLearned(steps, now!, { name: name!, port: listener.port }, told);
  }
  const position = hosts.findIndex((host) => host.name === found.name);
  const host = hosts[position];
  const checks = (health[host.name] ?? []).filter(({ service }) => service === listener.name);
  const address = dialledAddress(ourselves, passing(addressesOf(host), checks));
  const refused = endsAtOurselves(ourselves, { name: host.name, address }, position, steps);
  if (refused !== undefined) return refused;
  const { port } = decodeSocketAddress(found.serverAddress);
  const owned = name === undefined ? undefined : findDestination(table, name);
  const isNamed = owned !== undefined;
  const values = { name: name ?? asIs('-'), server: found.name, address, port };
  const arrived = isNamed
    ? say('{name} leads to {server}, [{address}]:{port}.', values)
    : name === undefined
      ? say('A client that names no server gets the default server, {server}, [{address}]:{port}.', values)
      : say(
          'No server has the name {name}: it leads to the default server, {server}, [{address}]:{port}.',
          values,
        );
  return {
    steps: [
      ...steps,
      {
        isOk: true,
        text: arrived,
        counter: routed,
        configPath: isNamed ? `/hosts/${position}/hostnames` : '/proxy/defaultHost',
      },
      ...protocolSteps(owned ?? table.fallback, found, host, position, alpn),
      ...severalAddresses(addressesOf(host), host.balance === 'round-robin', position),
      ...failingSteps(addressesOf(host), checks, position),
      ...admitted(found, client, position),
      {
        isOk: true,
        text: TOLD[found.clientAddress](config.mapped, client),
        configPath: clientAddressPath(host, listener, port, position),
      },
    ],
    outcome: arrives(
      address,
      port,
      isNamed ? say('{name} leads to {server}, [{address}]:{port}, through the proxy.', values) : arrived,
      found.name,
    ),
  };
}

/** Which rule by protocol (ALPN) has decided, or would decide for other clients. */
function protocolSteps(
  destination: Destination | undefined,
  found: Backend,
  { services }: HostConfig,
  position: number,
  alpn: readonly string[],
): WayStep[] {
  const rules = (destination?.byProtocol ?? []).map(({ protocol, backend }) => ({
    protocol: String.fromCharCode(...protocol),
    backend,
  }));
  const own = rules.find(({ protocol, backend }) => backend === found && alpn.includes(protocol));
  if (own !== undefined) {
    const { protocol } = own;
    const at = services.findIndex((each) => typeof each !== 'string' && each.alpn?.includes(protocol));
    const values = { protocol, server: found.name };
    return [
      {
        isOk: true,
        text: say('The client offers {protocol} (ALPN): this way in of {server} goes before others.', values),
        configPath: `/hosts/${position}/services/${at}/alpn`,
      },
    ];
  }
  return rules.map(({ protocol, backend }) => ({
    isOk: true,
    text: say('A client that offers {protocol} (ALPN) would go to {server}, port {port}.', {
      protocol,
      server: backend.name,
      port: decodeSocketAddress(backend.serverAddress).port,
    }),
  }));
}

const admitted = ({ access, name }: Backend, client: string, position: number): WayStep[] =>
  access === null
    ? []
    : [
        {
          isOk: true,
          text: say('The access list of {server} has {client}.', { server: name, client }),
          configPath: `/hosts/${position}/allow`,
        },
      ];

/** Where the configuration says how the server learns the client's address at this listener. */
function clientAddressPath(
  { services }: HostConfig,
  { name, port }: ListenerConfig,
  targetPort: number,
  position: number,
): string {
  const at = services.findIndex(
    (each) =>
      typeof each !== 'string' &&
      each.listener === name &&
      (each.targetPort ?? port) === targetPort &&
      each.clientAddress !== undefined,
  );
  return at === -1 ? `/hosts/${position}/clientAddress` : `/hosts/${position}/services/${at}/clientAddress`;
}

function explainRefusal(question: Question, { refused, ...rest }: Refused): Leg {
  const { config, listener, client, name, steps } = question;
  const { hosts } = config;
  const counter = PROTOCOLS[listener.protocol].refused[refused];
  const server = rest.backend?.name ?? '';
  const position = hosts.findIndex((host) => host.name === server);
  const at = (field: string) => ({ counter, configPath: `/hosts/${position}/${field}` });
  switch (refused) {
    case 'redirect': {
      const { status, port } = (rest as { readonly redirect: Redirect }).redirect;
      const values = { status, location: locationOf(name ?? '', port, '/') };
      const text = say('The proxy answers with a redirect ({status}) to {location}.', values);
      return endsHere(steps, text, at('redirectToHttps'));
    }
    case 'not-allowed':
      return endsRefused(
        steps,
        say('The access list of {server} does not have {client}.', { server, client }),
        at('allow'),
      );
    case 'maintenance':
      return endsRefused(steps, say('{server} is in maintenance.', { server }), at('maintenance'));
    case 'no-name': {
      const text = say('A client that connects to an address names no server in its ClientHello.');
      return endsRefused(steps, text, { counter, configPath: '/proxy/defaultHost' });
    }
    default:
      return explainUnknown(question, name ?? '', counter);
  }
}

function explainUnknown({ config, listener, steps }: Question, name: string, counter: Counter): Leg {
  const { hosts } = config;
  const other = hosts.find((host) => {
    const wouldServe = { ...host, enabled: true, services: [listener.name] };
    return findDestination(buildHostTable([wouldServe], listener, config), name) !== undefined;
  });
  const values = { server: other?.name ?? '', listener: listener.name };
  const hint =
    other === undefined
      ? undefined
      : !other.enabled
        ? say('{server} has the name, but is switched off.', values)
        : listenersOf(other).includes(listener.name)
          ? say('{server} has the name, but only for clients that offer certain protocols (ALPN).', values)
          : say('{server} has the name, but does not use the listener {listener}.', values);
  const field = other?.enabled === false ? 'enabled' : 'services';
  return endsRefused(
    steps,
    sentences(
      say('No server has the name {name} at the listener {listener}.', { name, listener: listener.name }),
      hint,
    ),
    {
      counter,
      configPath: other === undefined ? '/hosts' : `/hosts/${hosts.indexOf(other)}/${field}`,
    },
  );
}
