/** What the proxy does with a connection: finds the listener by its port, then looks in the data plane's host table. */
import type { HostConfig, ListenerConfig, ProxyConfig } from '../../config/schema.ts';
import { endsAtOurselves, listensFor } from '../../net/listening.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import {
  type Flow,
  type LastLeg,
  type Leg,
  type WayStep,
  arrives,
  endsRefused,
} from '../../runtime/explain.ts';
import { parseRequestHead } from '../../wire/http-head.ts';
import { whatServerSees } from '../mapped.ts';
import type { ProxyCounterIndex } from './counters.ts';
import { buildHostTable, findBackend } from './host-table.ts';
import { type ProxyOptions, planProxy } from './service.ts';
import { type Text, asIs, listOf, say, sentences } from '../../texts/text.ts';

const NOT_TOLD = say('The server sees the address of this appliance, not that of the client.');

/** What the server learns of a client with this address. */
const TOLD: Record<HostConfig['clientAddress'], (proxy: ProxyConfig, from: string) => Text> = {
  none: () => NOT_TOLD,
  'proxy-v1': () => say("A PROXY header (version 1) tells the server the client's address."),
  'proxy-v2': () => say("A PROXY header (version 2) tells the server the client's address."),
  mapped: whatServerSees,
};

/** undefined when the connection does not go to the port of a listener. */
export function explainProxy(options: ProxyOptions, ourselves: Ourselves, flow: Flow): Leg | undefined {
  const { port, protocol } = flow;
  const position = options.proxy.listeners.findIndex((listener) => listener.port === port);
  if (!flow.isLocal || protocol !== 'tcp' || position === -1) return undefined;
  const listener = options.proxy.listeners[position];
  const configPath = `/proxy/listeners/${position}`;
  const { config } = planProxy(options);
  if (!config.listeners.includes(listener)) {
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
  ];
  const asked = asks(flow);
  if ('leg' in asked) return { ...asked.leg, steps: [...steps, ...asked.leg.steps] };
  return explainName(options, ourselves, listener, asked.name, flow.from, steps);
}

type Asked = { readonly name: string } | { readonly leg: LastLeg };

/** RFC 6066 section 3: a client that connects to an address sends no server name. */
function serverNameOf({ name }: Flow): Asked {
  if (name !== undefined) return { name };
  const text = say('A client that connects to an address names no server in its ClientHello.');
  return { leg: endsRefused([], text, { counter: 'refused-tls-no-name' }) };
}

/** The Host of a request, parsed as in the proxy. */
function hostOf({ name, to = '', port }: Flow): Asked {
  const host = name ?? (to.includes(':') ? `[${to}]` : to);
  const head = parseRequestHead(Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`, 'latin1'));
  if (!('kind' in head)) return { name: head.host };
  return {
    leg: endsRefused([], listOf([asIs(head.reason), '.'], ''), { counter: `refused-http-${head.kind}` }),
  };
}

interface ProtocolWords {
  readonly what: Text;
  /** The name that a client asks for. */
  readonly asks: (flow: Flow) => Asked;
  /** Counters of what is let through, and of a name that nobody has. */
  readonly routed: keyof ProxyCounterIndex;
  readonly unknownName: keyof ProxyCounterIndex;
}

const PROTOCOLS: Readonly<Record<ListenerConfig['protocol'], ProtocolWords>> = {
  http: {
    what: say('HTTP by Host'),
    asks: hostOf,
    routed: 'http-routed',
    unknownName: 'refused-http-unknown-host',
  },
  tls: {
    what: say('TLS by server name'),
    asks: serverNameOf,
    routed: 'tls-routed',
    unknownName: 'refused-tls-unknown-name',
  },
};

function explainName(
  { proxy, hosts }: ProxyOptions,
  ourselves: Ourselves,
  listener: ListenerConfig,
  name: string,
  from: string,
  steps: readonly WayStep[],
): Leg {
  const backend = findBackend(buildHostTable(hosts, listener), name);
  const { routed, unknownName } = PROTOCOLS[listener.protocol];
  if (backend === undefined) {
    const other = hosts.find((host) =>
      findBackend(buildHostTable([{ ...host, services: [listener.name] }], listener), name),
    );
    const hint =
      other === undefined
        ? undefined
        : say('{server} has the name, but does not use the listener {listener}.', {
            server: other.name,
            listener: listener.name,
          });
    return endsRefused(
      steps,
      sentences(
        say('No server has the name {name} at the listener {listener}.', { name, listener: listener.name }),
        hint,
      ),
      {
        counter: unknownName,
        configPath: other === undefined ? '/hosts' : `/hosts/${hosts.indexOf(other)}/services`,
      },
    );
  }
  const position = hosts.findIndex((host) => host.name === backend.name);
  const { address, clientAddress } = hosts[position];
  const refused = endsAtOurselves(ourselves, hosts[position], position, steps);
  if (refused !== undefined) return refused;
  const values = { name, server: backend.name, address, port: listener.port };
  return {
    steps: [
      ...steps,
      {
        isOk: true,
        text: say('{name} leads to {server}, [{address}]:{port}.', values),
        counter: routed,
        configPath: `/hosts/${position}/hostnames`,
      },
      { isOk: true, text: TOLD[clientAddress](proxy, from), configPath: `/hosts/${position}/clientAddress` },
    ],
    outcome: arrives(
      address,
      listener.port,
      say('{name} leads to {server}, [{address}]:{port}, through the proxy.', values),
      backend.name,
    ),
  };
}
